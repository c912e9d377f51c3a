local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND =
    1, 2, 0x40, 0x80, 0x200, 0x400

pcall(ffi.cdef, [[
unsigned umask(unsigned mask);
]])

-- A loop whose system calls are scripted.
local function scripted(settings)
    local loop = helper.loop(settings, inject.ql_inject_new(nil))
    files.known(loop, "/tmp")
    return loop
end

-- An open, begun: its ql_open_t and the attempt's code.
local function begin(loop, path, opts)
    local o = C.ql_open_create(loop, path,
        ffi.new("ql_open_opts_t", opts or {}))
    assert(o ~= nil, "ql_open_create failed")
    o.call.event.handler = inject.ql_probe
    return o, C.ql_call_attempt(o.call)
end

-- To its end: the file, or nil, errno and why.
local function finish(loop, o)
    local rc, file, err, why
    helper.run_until(loop, function()
        rc = C.ql_call_attempt(o.call)
        return rc ~= C.NGX_AGAIN
    end)
    if rc == C.NGX_OK then
        file = C.ql_open_take(o)
    else
        err = o.call.err
        why = o.why ~= nil and ffi.string(o.why) or nil
    end
    C.ql_call_free(o.call)
    if file then
        return file
    end
    return nil, err, why
end

local function open(loop, path, opts)
    return finish(loop, (begin(loop, path, opts)))
end

local function close(file)
    C.ql_file_close(file)
end

local function content(path)
    local file = io.open(path, "rb")
    local text = file and file:read "*a"
    return text, file and file:close()
end

describe("an open", function()
    it("of a path that the kernel has at hand asks no thread", forked(function()
        local loop = scripted()
        local path = files.make("at hand")
        local file = assert(open(loop, path))
        assert.same({ 0, 1, 0 }, { files.calls("thread_create"),
            stat(loop, "open_cached"), stat(loop, "open_pool") })
        assert.equal("at hand", files.read(loop, file, 100))
        assert.same({ 1, 0, 0 },
            { file.readable, file.writable, file.append })
        C.ql_file_close(file)
        os.remove(path)
    end))

    for _, name in ipairs { "EAGAIN", "ENOSYS", "EPERM", "EINVAL" } do
        it("asks a thread on " .. name, forked(function()
            local loop = scripted()
            local path = files.make("far away")
            inject.ql_inject_fail("openat2", -1, 1, 1, errno[name])
            local file = assert(open(loop, path))
            assert.same({ 0, 1 }, { stat(loop, "open_cached"),
                stat(loop, "open_pool") })
            assert.equal("far away", files.read(loop, file, 100))
            C.ql_file_close(file)
            assert.equal(0, stat(loop, "files_live"))
            os.remove(path)
        end))
    end

    it("remembers that there is no openat2", forked(function()
        local loop = scripted()
        local path = files.make("x")
        inject.ql_inject_fail("openat2", -1, 1, 0, errno.ENOSYS)
        for _ = 1, 3 do
            close(assert(open(loop, path)))
        end
        assert.same({ 1, 3 }, { files.calls("openat2"),
            stat(loop, "open_pool") })
        os.remove(path)
    end))

    it("goes on after EINTR, on either thread", forked(function()
        local loop = scripted()
        local path = files.make("x")
        inject.ql_inject_fail("openat2", -1, 1, 3, errno.EINTR)
        close(assert(open(loop, path)))
        assert.equal(5, files.calls("openat2"))
        inject.ql_inject_fail("open", -1, 1, 3, errno.EINTR)
        close(assert(open(loop, path, { flags = O_CREAT })))
        assert.equal(4, files.calls("open"))
        os.remove(path)
    end))

    for _, name in ipairs { "ENOENT", "EACCES", "EMFILE", "ENFILE", "EIO" } do
        it("fails with " .. name .. ", on either thread", forked(function()
            local loop = scripted()
            local path = files.make("x")
            inject.ql_inject_fail("openat2", -1, 1, 1, errno[name])
            assert.same({ nil, errno[name] }, { open(loop, path) })
            assert.equal(0, files.calls("thread_create"))
            inject.ql_inject_fail("openat2", -1, 1, 1, errno.EAGAIN)
            inject.ql_inject_fail("open", -1, 1, 1, errno[name])
            assert.same({ nil, errno[name] }, { open(loop, path) })
            assert.equal(0, stat(loop, "files_live"))
            os.remove(path)
        end))
    end

    for call, name in pairs { fstat = "EIO", ftruncate = "EIO" } do
        it("that fails by " .. call .. " closes", forked(function()
            local loop = scripted()
            local path = files.make("x")
            inject.ql_inject_fail(call, -1, 1, 1, errno[name])
            assert.same({ nil, errno[name] },
                { open(loop, path, { flags = O_RDWR + O_TRUNC }) })
            assert.equal(1, files.calls("close"))
            os.remove(path)
        end))
    end

    it("without memory is an error", forked(function()
        local loop = scripted()
        for n = 1, 2 do
            inject.ql_inject_clear()
            inject.ql_inject_fail("malloc", -1, n, n, errno.ENOMEM)
            assert.is_true(C.ql_open_create(loop, "x",
                ffi.new("ql_open_opts_t")) == nil)
            assert.equal(errno.ENOMEM, ffi.errno())
        end
    end))

    it("without a thread is an error", forked(function()
        local loop = scripted()
        inject.ql_inject_fail("thread_create", -1, 1, 0, errno.EAGAIN)
        local name = os.tmpname()
        os.remove(name)
        assert.same({ nil, errno.EAGAIN },
            { open(loop, name, { flags = O_WRONLY + O_CREAT }) })
        assert.is_nil(io.open(name))
    end))
end)

describe("an open for writing", function()
    it("creates with its permissions, by a thread", forked(function()
        local loop = scripted()
        local path = os.tmpname()
        os.remove(path)
        ffi.C.umask(18) -- 022
        local file = assert(open(loop, path, {
            flags = O_WRONLY + O_CREAT + O_APPEND,
            permissions = tonumber("666", 8) }))
        assert.same({ 0, 1, 1 }, { file.readable, file.writable, file.append })
        assert.same({ 0, 1 }, { files.calls("openat2"),
            stat(loop, "open_pool") })
        C.ql_file_close(file)
        local stats = io.popen("stat -c %a " .. path)
        assert.equal("644", stats:read())
        stats:close()
        assert.same({ nil, 17 }, { open(loop, path,
            { flags = O_WRONLY + O_CREAT + O_EXCL }) })
        os.remove(path)
    end))

    it("truncates a file, and nothing else", forked(function()
        local loop = scripted()
        local path = files.make("old text")
        close(assert(open(loop, path,
            { flags = O_RDWR + O_TRUNC })))
        assert.equal("", content(path))
        os.remove(path)
        assert(ffi.C.mkfifo(path, 384) == 0)
        for _, name in ipairs { path, "/dev/null", "/tmp" } do
            local _, err = open(loop, name,
                { flags = O_RDWR + O_CREAT + O_TRUNC })
            assert.equal(name == "/tmp" and errno.EISDIR or errno.EINVAL, err)
        end
        assert.equal(1, files.calls("ftruncate"))
        os.remove(path)
    end))

    for _, flags in ipairs { 0, O_WRONLY, O_RDWR } do
        it("of what is no file never waits, flags " .. flags, forked(function()
            local loop = helper.loop()
            local path = os.tmpname()
            os.remove(path)
            assert(ffi.C.mkfifo(path, 384) == 0)
            for _, name in ipairs { path, "/dev/null", "/dev/ptmx" } do
                assert.same({ nil, errno.EINVAL, "not a regular file" },
                    { open(loop, name, { flags = flags }) })
            end
            assert.same({ nil, errno.EISDIR },
                { open(loop, "/tmp", { flags = flags }) })
            os.remove(path)
        end))
    end
end)

describe("the size of a file", function()
    it("decides with directio whether it is read direct", forked(function()
        local loop = helper.loop()
        local path = files.make(files.bytes(4096))
        for _, case in ipairs { { 0, 0 }, { 4095, 1 }, { 4096, 1 },
            { 4097, 0 } } do
            local file = assert(open(loop, path, { directio = case[1] }))
            assert.equal(case[2], file.direct)
            C.ql_file_close(file)
        end
        local file = assert(open(loop, path, { direct = 1 }))
        assert.equal(1, file.direct)
        C.ql_file_close(file)
        os.remove(path)
    end))
end)

describe("the waiter of an open", function()
    it("that lets go while a thread opens leaves no descriptor",
        forked(function()
            local loop = scripted()
            local path = files.make("x")
            inject.ql_inject_fail("openat2", -1, 1, 1, errno.EAGAIN)
            inject.ql_inject_delay("open", -1, 1, 1, 20000)
            local o, rc = begin(loop, path)
            assert.equal(C.NGX_AGAIN, rc)
            helper.run_until(loop, function()
                C.ql_notify(loop)
                return files.calls("open") == 1
            end)
            C.ql_call_free(o.call)
            assert.equal(1, stat(loop, "orphans"))
            helper.run_until(loop, function()
                return stat(loop, "orphans") == 0
            end)
            assert.same({ 1, 0, 0 }, { files.calls("close"),
                stat(loop, "calls_live"), stat(loop, "files_live") })
            os.remove(path)
        end))

    it("that never takes the file leaves no descriptor", forked(function()
        local loop = scripted()
        local path = files.make("x")
        local o, rc = begin(loop, path)
        assert.equal(C.NGX_OK, rc)
        C.ql_call_free(o.call)
        assert.same({ 2, 0 }, { files.calls("close"), -- and O_PATH's
            stat(loop, "files_live") })
        os.remove(path)
    end))
end)
