/* system.h: of the system's headers what the project's mention, as Linux has
 * it on x86-64 and arm64. cdef_spec compares the sizes with the compiler's. */
typedef int64_t off_t;
typedef int64_t ssize_t;
typedef unsigned int socklen_t;
typedef int pid_t;
typedef int64_t time_t;
typedef unsigned int mode_t;
typedef unsigned uid_t;
typedef unsigned gid_t;
typedef unsigned id_t;
typedef unsigned idtype_t;
typedef struct {
    int64_t opaque[16];
} siginfo_t;
typedef int clockid_t;
typedef void *timer_t;
typedef int sig_atomic_t;
typedef unsigned long pthread_t;
typedef struct {
    uint64_t opaque[16];
} sigset_t;
typedef struct {
    uint64_t opaque[5];
} pthread_mutex_t;
typedef struct {
    uint64_t opaque[6];
} pthread_cond_t;

struct sigaction {
    void *handler;
    sigset_t sa_mask;
    int sa_flags;
    void *restorer;
};
struct timespec {
    int64_t tv_sec;
    int64_t tv_nsec;
};
struct itimerspec {
    struct timespec it_interval;
    struct timespec it_value;
};
struct iovec {
    void *iov_base;
    size_t iov_len;
};
struct sockaddr {
    unsigned short sa_family;
    char sa_data[14];
};
struct in_addr {
    uint32_t s_addr;
};
struct in6_addr {
    uint8_t s6_addr[16];
};
struct sockaddr_in {
    unsigned short sin_family;
    uint16_t sin_port;
    struct in_addr sin_addr;
    unsigned char sin_zero[8];
};
struct sockaddr_in6 {
    unsigned short sin6_family;
    uint16_t sin6_port;
    uint32_t sin6_flowinfo;
    struct in6_addr sin6_addr;
    uint32_t sin6_scope_id;
};
struct linger {
    int l_onoff;
    int l_linger;
};
struct sockaddr_un {
    unsigned short sun_family;
    char sun_path[108];
};
struct msghdr {
    void *msg_name;
    socklen_t msg_namelen;
    struct iovec *msg_iov;
    size_t msg_iovlen;
    void *msg_control;
    size_t msg_controllen;
    int msg_flags;
};
struct mmsghdr {
    struct msghdr msg_hdr;
    unsigned msg_len;
};

typedef union {
    void *ptr;
    int fd;
    uint32_t u32;
    uint64_t u64;
} epoll_data_t;
#if defined(__x86_64__)
#pragma pack(push, 1)
#endif
struct epoll_event {
    uint32_t events;
    epoll_data_t data;
};
#if defined(__x86_64__)
#pragma pack(pop)
#endif

typedef struct io_context *io_context_t;
struct iocb {
    void *data;
    unsigned key;
    int aio_rw_flags;
    short aio_lio_opcode;
    short aio_reqprio;
    int aio_fildes;
    void *buf;
    unsigned long nbytes;
    long long offset;
    long long unused;
    unsigned flags;
    unsigned resfd;
};
struct io_event {
    void *data;
    struct iocb *obj;
    unsigned long res;
    unsigned long res2;
};

typedef struct lua_State lua_State;
struct stat;
struct sigevent;
struct inotify_event {
    int wd;
    uint32_t mask;
    uint32_t cookie;
    uint32_t len;
    char name[];
};
