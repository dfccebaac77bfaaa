/*
 * fake_brokers.h - the fixture's brokers: they answer what a test set up, and check what they are sent.
 */
#ifndef KP_TEST_PRODUCER_FAKE_BROKERS_H
#define KP_TEST_PRODUCER_FAKE_BROKERS_H

#include "engine_fixture.h"

/* Serve the whole frames that the connection has brought. */
void fake_serve(fx *f, fx_conn *c);

#endif
