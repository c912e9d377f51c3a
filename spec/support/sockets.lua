-- sockets.lua: for specs of runtime/net: the other end of a connection, plain
-- and blocking, with a timeout on every wait; and attempts on ours.
local helper = require "spec.helper"
local ffi, C = helper.ffi, helper.C

local sockets = {
    AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, STREAM = 1, DATAGRAM = 2,
    NONBLOCK = 0x800, CLOEXEC = 0x80000, SHUT_RD = 0, SHUT_WR = 1,
    SOL_SOCKET = 1, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_LINGER = 13,
    IPPROTO_TCP = 6, TCP_NODELAY = 1,
}

if not pcall(ffi.typeof, "struct spec_linger") then
    ffi.cdef [[
    struct spec_linger { int on; int seconds; };
    struct spec_rlimit { uint64_t soft; uint64_t hard; };
    int socket(int domain, int type, int protocol);
    int bind(int fd, const struct sockaddr *sa, socklen_t len);
    int listen(int fd, int backlog);
    int connect(int fd, const struct sockaddr *sa, socklen_t len);
    int shutdown(int fd, int how);
    int accept(int fd, struct sockaddr *sa, socklen_t *len);
    int getsockname(int fd, struct sockaddr *sa, socklen_t *len);
    int getsockopt(int fd, int level, int name, void *value, socklen_t *len);
    int setsockopt(int fd, int level, int name, const void *value,
                   socklen_t len);
    int setrlimit(int what, const struct spec_rlimit *limit);
    int dup(int fd);
    int chmod(const char *path, unsigned mode);
    int unlink(const char *path);
    int access(const char *path, int mode);
    int setresuid(unsigned real, unsigned effective, unsigned saved);
    ]]
end
-- inject_spec has a prototype of its own.
pcall(ffi.cdef, "int socketpair(int domain, int type, int protocol, "
    .. "int fds[2]);")

local function ok(rc)
    if rc == -1 then
        error(ffi.string(ffi.C.strerror(ffi.errno())), 3)
    end
    return rc
end

function sockets.socket(family, kind)
    return ok(ffi.C.socket(family, kind or sockets.STREAM, 0))
end

-- Two connected ends: ours (nonblocking) and theirs (blocking).
function sockets.pair(kind)
    local fds = ffi.new("int[2]")
    ok(ffi.C.socketpair(sockets.AF_UNIX, kind or sockets.STREAM, 0, fds))
    sockets.nonblocking(fds[0])
    return fds[0], fds[1]
end

-- A pipe: read end, write end; both nonblocking.
function sockets.pipe()
    local fds = ffi.new("int[2]")
    ok(ffi.C.pipe2(fds, sockets.NONBLOCK))
    return fds[0], fds[1]
end

function sockets.nonblocking(fd)
    ok(ffi.C.fcntl(fd, 4, ffi.cast("int", sockets.NONBLOCK)))
end

-- A plain listening socket and its address.
function sockets.listen(text, backlog)
    local addr = helper.address(text)
    local fd = sockets.socket(addr.u.sa.sa_family)
    ok(ffi.C.bind(fd, addr.u.sa, addr.len))
    ok(ffi.C.listen(fd, backlog or 16))
    return fd, sockets.name(fd)
end

-- The address that fd got, a ql_sockaddr_t.
function sockets.name(fd)
    local addr = ffi.new("ql_sockaddr_t")
    local len = ffi.new("socklen_t[1]", ffi.sizeof(addr.u))
    ok(ffi.C.getsockname(fd, addr.u.sa, len))
    addr.len = len[0]
    return addr
end

-- A plain connected socket to a ql_sockaddr_t.
function sockets.connect(addr)
    local fd = sockets.socket(addr.u.sa.sa_family)
    ok(ffi.C.connect(fd, addr.u.sa, addr.len))
    return fd
end

-- Our end of a TCP connection and theirs.
function sockets.tcp()
    local listener, addr = sockets.listen("127.0.0.1:0")
    local theirs = sockets.connect(addr)
    local ours = ok(ffi.C.accept(listener, nil, nil))
    ffi.C.close(listener)
    sockets.nonblocking(ours)
    return ours, theirs
end

-- Resets the connection of fd, which stays open.
function sockets.disconnect(fd)
    local nowhere = ffi.new("ql_sockaddr_t") -- AF_UNSPEC
    ok(ffi.C.connect(fd, nowhere.u.sa, ffi.sizeof(nowhere.u.sa)))
end

function sockets.option(fd, level, name)
    local value = ffi.new("int[1]")
    local len = ffi.new("socklen_t[1]", 4)
    ok(ffi.C.getsockopt(fd, level, name, value, len))
    return value[0]
end

function sockets.set_option(fd, level, name, value)
    ok(ffi.C.setsockopt(fd, level, name, ffi.new("int[1]", value), 4))
end

-- Closes with a reset.
function sockets.reset(fd)
    local linger = ffi.new("struct spec_linger", 1, 0)
    ok(ffi.C.setsockopt(fd, sockets.SOL_SOCKET, sockets.SO_LINGER, linger, 8))
    ffi.C.close(fd)
end

function sockets.write(fd, data)
    assert(ffi.C.write(fd, data, #data) == #data)
end

-- What comes on fd: up to size bytes, "" at the end; an error after 5 s.
function sockets.read(fd, size)
    local buf = ffi.new("char[?]", size)
    local ready = ffi.new("struct pollfd[1]", { { fd = fd, events = 1 } })
    assert(ffi.C.poll(ready, 1, 5000) == 1, "sockets.read: timeout")
    return ffi.string(buf, ok(tonumber(ffi.C.read(fd, buf, size))))
end

-- Exactly size bytes.
function sockets.read_all(fd, size)
    local parts = {}
    while size > 0 do
        local part = sockets.read(fd, size)
        assert(part ~= "", "sockets.read_all: end of file")
        parts[#parts + 1] = part
        size = size - #part
    end
    return table.concat(parts)
end

-- Our side: a connection struct for fd.
function sockets.wrap(loop, fd)
    local c = C.ql_get_connection(loop, fd)
    assert(c ~= nil)
    return c
end

-- One attempt: text ("": end of file), or nil and the return code.
function sockets.recv(c, size, kind)
    local buf = ffi.new("char[?]", size or 4096)
    local n = tonumber(c.io[kind or "recv"](c, buf, size or 4096))
    if n < 0 then
        return nil, n
    end
    return ffi.string(buf, n)
end

-- Turns until the event is ready.
function sockets.await(loop, ev)
    local rc = ev.write == 1 and C.ql_handle_write_event(ev)
        or C.ql_handle_read_event(ev, 0)
    assert(rc == C.NGX_OK)
    helper.run_until(loop, function() return ev.ready == 1 end)
end

-- Attempts until there is no AGAIN: text, or nil and the code.
function sockets.receive(loop, c, size, kind)
    while true do
        local text, rc = sockets.recv(c, size, kind)
        if rc ~= C.NGX_AGAIN then
            return text, rc
        end
        sockets.await(loop, c.read)
    end
end

-- Exactly size bytes, over as many attempts as it takes.
function sockets.receive_all(loop, c, size)
    local parts = {}
    while size > 0 do
        local text, rc = sockets.receive(loop, c, size)
        assert(text and text ~= "", rc or "end of file")
        parts[#parts + 1] = text
        size = size - #text
    end
    return table.concat(parts)
end

-- Sends all of data, over as many attempts as it takes; or nil and the code.
function sockets.send(loop, c, data)
    local sent = 0
    while sent < #data do
        local n = tonumber(c.io.send(c, ffi.cast("const char *", data) + sent,
            #data - sent))
        if n == C.NGX_AGAIN then
            sockets.await(loop, c.write)
        elseif n < 0 then
            return nil, n
        else
            sent = sent + n
        end
    end
    return sent
end

-- An iovec of strings; they live as long as the second result.
function sockets.iovec(parts)
    local iov = ffi.new("struct iovec[?]", #parts)
    for i, part in ipairs(parts) do
        iov[i - 1].iov_base = ffi.cast("char *", part)
        iov[i - 1].iov_len = #part
    end
    return iov, parts
end

-- The next descriptors of the process end at this number.
function sockets.limit_descriptors(n)
    ok(ffi.C.setrlimit(7, ffi.new("struct spec_rlimit", n, 20000)))
end

-- The lowest free descriptor.
function sockets.next_descriptor()
    local fd = ok(ffi.C.dup(0))
    ffi.C.close(fd)
    return fd
end

-- A listener of the loop.
function sockets.listener(loop, text)
    local ls = C.ql_listen(loop, helper.address(text or "127.0.0.1:0"), nil)
    assert(ls ~= nil)
    return ls
end

-- A client of ls that was accepted and taken: our end, theirs.
function sockets.accepted(loop, ls)
    local fd = sockets.connect(ls.addr)
    helper.run_until(loop, function() return ls.queued > 0 end)
    return C.ql_accept(ls), fd
end

-- Turns until ms have passed; how many it took.
function sockets.turns_within(loop, ms)
    local before = helper.stats(loop).turns
    local deadline = helper.now() + ms / 1000
    while helper.now() < deadline do
        local left = math.ceil((deadline - helper.now()) * 1000)
        local rc = C.ql_process_events_and_timers(loop, math.max(1, left))
        assert(rc == C.NGX_OK)
    end
    return tonumber(helper.stats(loop).turns - before)
end

function sockets.calls(name)
    return tonumber(helper.inject.ql_inject_calls(name))
end

-- A path for a unix socket, free now.
function sockets.path()
    local name = os.tmpname()
    os.remove(name)
    return name
end

function sockets.exists(path)
    return ffi.C.access(path, 0) == 0
end

-- A connection that arrives at ls: served and closed.
function sockets.serves(loop, ls)
    local client = sockets.connect(ls.addr)
    helper.run_until(loop, function() return ls.queued > 0 end)
    C.ql_close_connection(C.ql_accept(ls))
    assert(sockets.read(client, 1) == "")
    ffi.C.close(client)
end

return sockets
