/* Preloaded into a process: what it sends to a DNS server's port 53 goes to port $TEST_DNS_PORT of 127.0.0.1 instead. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
	int (*next)(int, const struct sockaddr *, socklen_t);
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	*(void **)&next = dlsym(RTLD_NEXT, "connect");
	if (address->sa_family != AF_INET || ((const struct sockaddr_in *)(const void *)address)->sin_port != htons(53))
		return next(fd, address, len);
	local.sin_port = htons((uint16_t)strtol(getenv("TEST_DNS_PORT"), NULL, 10));
	return next(fd, (const struct sockaddr *)(const void *)&local, sizeof(local));
}
