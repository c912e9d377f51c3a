-- A port of 127.0.0.1 that was free a moment ago, for servers that cannot
-- choose one themselves.
local ffi = require "ffi"

ffi.cdef [[
struct bench_sockaddr_in {
    uint16_t family; uint8_t port[2]; uint8_t address[4]; uint8_t zero[8];
};
int socket(int domain, int type, int protocol);
int bind(int fd, const struct bench_sockaddr_in *address, unsigned size);
int getsockname(int fd, struct bench_sockaddr_in *address, unsigned *size);
int close(int fd);
]]

local C = ffi.C
local AF_INET, SOCK_STREAM, SOCK_CLOEXEC = 2, 1, 0x80000

return function()
    local fd = C.socket(AF_INET, SOCK_STREAM + SOCK_CLOEXEC, 0)
    local at = ffi.new("struct bench_sockaddr_in", { family = AF_INET })
    local size = ffi.new("unsigned[1]", ffi.sizeof(at))
    at.address[0], at.address[3] = 127, 1
    assert(fd >= 0 and C.bind(fd, at, size[0]) == 0
        and C.getsockname(fd, at, size) == 0, "no free port")
    C.close(fd)
    return at.port[0] * 256 + at.port[1]
end
