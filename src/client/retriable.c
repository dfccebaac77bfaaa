/*
 * retriable.c - whether a record is worth sending again. The table's class speaks of a request that the engine may repeat at once; this
 * speaks of a record some time later, by when a delivery time-out's outage may be over and a permission given.
 */
#include <kproducer/error.h>

#include "client/producer_impl.h"

bool kp_may_succeed_later(const kp_report *r)
{
	if (r->flags & KP_REPORT_BYSTANDER)
		return true;
	switch (r->error) {
	case KP_ERR_DELIVERY_TIMEOUT:
	case KP_ERR_UNKNOWN_SERVER_ERROR:
	/* somebody may put it right */
	case KP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case KP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case KP_ERR_SASL_AUTHENTICATION_FAILED:
	/* the stamp was refused, and the record gets another */
	case KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
	case KP_ERR_INVALID_PRODUCER_EPOCH:
	case KP_ERR_UNKNOWN_PRODUCER_ID: return true;
	default: return kp_error_is_retriable(r->error) || kp_error_get_class(r->error) == KP_CLASS_RESOURCE;
	}
}

int kp_report_is_retriable(const kp_report *r)
{
	return r && r->outcome == KP_NOT_PERSISTED && kp_may_succeed_later(r);
}
