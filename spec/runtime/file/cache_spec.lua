local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

pcall(ffi.cdef, "int chdir(const char *path);")
pcall(ffi.cdef, "char *getcwd(char *buf, size_t size);")

local HERE = ffi.string(ffi.C.getcwd(ffi.new("char[4096]"), 4096))
local LICENSE = HERE .. "/LICENSE"
local SECOND = 1000000000LL
local now -- s that the clock has been moved by

-- A loop with the cache on; its system calls are scripted.
local function cached(settings)
    settings = settings or {}
    settings.open_file_cache = settings.open_file_cache or 10
    now = 0
    local loop = helper.loop(settings, inject.ql_inject_new(nil))
    files.known(loop, "/tmp")
    return loop
end

local function later(loop, seconds)
    now = now + seconds
    inject.ql_inject_clock(now * SECOND)
    C.ql_time_update(loop)
end

local function begin(loop, path, opts)
    local o = C.ql_open_create(loop, path,
        ffi.new("ql_open_opts_t", opts or {}))
    o.call.event.handler = inject.ql_probe
    C.ql_call_attempt(o.call)
    return o
end

-- The file, or nil, errno and the path that it is about.
local function finish(loop, o)
    local rc
    helper.run_until(loop, function()
        rc = C.ql_call_attempt(o.call)
        return rc ~= C.NGX_AGAIN
    end)
    local file = rc == C.NGX_OK and C.ql_open_take(o) or nil
    local err, at = o.call.err, o.at ~= nil and ffi.string(o.at)
    C.ql_call_free(o.call)
    if file then
        return file
    end
    return nil, err, at
end

local function open(loop, path, opts)
    return finish(loop, begin(loop, path, opts))
end

-- Opens and closes: its text, or nil and errno.
local function read(loop, path, opts)
    local file, err = open(loop, path, opts)
    local text = file and files.read(loop, file, 1000)
    if file then
        C.ql_file_close(file)
    end
    return text, err
end

local function counts(loop)
    local list = {}
    for i, name in ipairs { "hits", "misses", "entries", "evicted",
        "revalidated", "negative" } do
        list[i] = stat(loop, "cache_" .. name)
    end
    return list
end

-- As an editor does: a new file in its place.
local function replace(path, text)
    local other = files.make(text)
    assert(os.rename(other, path))
end

describe("the open-file cache", function()
    it("is off", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local path = files.make("x")
        read(loop, path)
        read(loop, path)
        assert.same({ 0, 0, 0, 0, 0, 0 }, counts(loop))
        assert.equal(0, stat(loop, "files_live"))
        os.remove(path)
    end))

    it("answers without a system call; all share a file", forked(function()
        local loop = cached()
        local path = files.make("text")
        local first = open(loop, path)
        local calls = { "openat2", "open", "fstat", "statx", "fstatfs",
            "close" }
        local before = {}
        for _, call in ipairs(calls) do
            before[call] = files.calls(call)
        end
        for _ = 1, 10 do
            local again = open(loop, path)
            assert.is_true(again == first)
            C.ql_file_close(again)
        end
        for _, call in ipairs(calls) do
            assert.equal(before[call], files.calls(call))
        end
        C.ql_file_close(first)
        assert.equal("text", read(loop, path))
        assert.same({ 11, 1, 1, 0, 0, 0 }, counts(loop))
        assert.same({ 1, before.close }, { stat(loop, "files_live"),
            files.calls("close") })
        C.ql_open_cache_drop(loop)
        assert.same({ 0, before.close + 1 }, { stat(loop, "files_live"),
            files.calls("close") })
        os.remove(path)
    end))

    it("opens a replaced file anew, once `valid` is over", forked(function()
        local loop = cached { open_file_cache_valid = 30 }
        local path = files.make("old text")
        local reader = open(loop, path)
        replace(path, "new")
        later(loop, 29)
        assert.equal("old text", read(loop, path))
        later(loop, 1)
        assert.equal("new", read(loop, path))
        assert.equal("old text", files.read(loop, reader, 100))
        C.ql_file_close(reader)
        assert.same({ 1, 2, 1, 0, 0, 0 }, counts(loop))
        os.remove(path)
    end))

    it("keeps an unchanged file, and believes it again", forked(function()
        local loop = cached { open_file_cache_valid = 30 }
        local path = files.make("text")
        local first = open(loop, path)
        for _ = 1, 3 do
            later(loop, 30)
            for _ = 1, 2 do
                local again = open(loop, path)
                assert.is_true(again == first)
                C.ql_file_close(again)
            end
        end
        C.ql_file_close(first)
        assert.same({ 3, 4, 1, 0, 3, 0 }, counts(loop))
        assert.equal(1, stat(loop, "files_live"))
        os.remove(path)
    end))

    it("opens a changed file anew", forked(function()
        local loop = cached { open_file_cache_valid = 0 }
        local path = files.make("1234")
        assert.equal("1234", read(loop, path))
        files.truncate(path, 2)
        assert.equal("12", read(loop, path))
        assert.equal(0, stat(loop, "cache_revalidated"))
        files.write(path, "AB", 0)
        assert.equal("AB", read(loop, path))
        os.remove(path)
    end))

    it("forgets a file that is gone", forked(function()
        local loop = cached { open_file_cache_valid = 30 }
        local path = files.make("text")
        read(loop, path)
        os.remove(path)
        assert.equal("text", read(loop, path))
        later(loop, 30)
        assert.same({ nil, errno.ENOENT }, { read(loop, path) })
        helper.run_until(loop, function()
            return stat(loop, "pool_pending") == 0
        end)
        assert.same({ 1, 2, 0, 0, 0, 0 }, counts(loop))
        assert.equal(0, stat(loop, "files_live"))
    end))

    it("keeps the most recent", forked(function()
        local loop = cached { open_file_cache = 3 }
        local paths = {}
        for i = 1, 5 do
            paths[i] = files.make(tostring(i))
        end
        for _, i in ipairs { 1, 2, 3, 1, 4, 5 } do
            assert.equal(tostring(i), read(loop, paths[i]))
        end
        assert.same({ 1, 5, 3, 2, 0, 0 }, counts(loop))
        for _, i in ipairs { 1, 4, 5 } do
            read(loop, paths[i])
        end
        assert.equal(4, stat(loop, "cache_hits"))
        for i = 1, 5 do
            os.remove(paths[i])
        end
    end))

    it("lets go of what nobody opens", forked(function()
        local loop = cached { open_file_cache_inactive = 20 }
        local one, two = files.make("one"), files.make("two")
        read(loop, one)
        later(loop, 19)
        read(loop, two)
        assert.equal(2, stat(loop, "cache_entries"))
        later(loop, 1)
        read(loop, two)
        assert.same({ 1, 2, 1, 1, 0, 0 }, counts(loop))
        assert.equal(0, stat(loop, "timers"))
        os.remove(one)
        os.remove(two)
    end))

    it("keeps a file from its `min_uses` on", forked(function()
        local loop = cached { open_file_cache_min_uses = 3 }
        local path = files.make("text")
        for uses = 1, 4 do
            assert.equal("text", read(loop, path))
            assert.equal(uses < 3 and 0 or 1, stat(loop, "files_live"))
        end
        assert.same({ 1, 3, 1, 0, 0, 0 }, counts(loop))
        os.remove(path)
    end))

    it("tells roots, lanes and what is written apart", forked(function()
        local loop = cached()
        local O_RDWR = 2
        local all = { {}, { direct = 1 }, { directio = 1 }, { miss_direct = 1 },
            { directio = 100000 }, { root = HERE },
            { root = HERE .. "/." } }
        for round = 1, 2 do
            for _, opts in ipairs(all) do
                C.ql_file_close((open(loop, opts.root and "LICENSE" or LICENSE,
                    opts)))
            end
            assert.same({ round, #all },
                { round, stat(loop, "cache_entries") })
        end
        local path = files.make("x")
        C.ql_file_close((open(loop, path, { flags = O_RDWR })))
        assert.equal(#all, stat(loop, "cache_entries"))
        os.remove(path)
    end))

    it("keeps nothing that chdir gives another meaning", forked(function()
        local loop = cached { open_file_cache_errors = 1 }
        local paths = { files.make("one"), files.make("two") }
        local dir = os.tmpname() .. ".d"
        os.execute(("mkdir -p %s/sub; mv %s %s/x; mv %s %s/sub/x"):format(dir,
            paths[1], dir, paths[2], dir))
        ffi.C.chdir(dir)
        assert.equal("one", read(loop, "x"))
        assert.equal("one", read(loop, "x", { root = "." }))
        assert.same({ nil, errno.ENOENT }, { read(loop, "sub/sub/x") })
        ffi.C.chdir("sub")
        assert.equal("two", read(loop, "x"))
        assert.equal("two", read(loop, "x", { root = "." }))
        assert.same({ 0, 0, 0, 0, 0, 0 }, counts(loop))
        os.execute("rm -r " .. dir .. " " .. dir:sub(1, -3))
    end))
end)

describe("kept failures", function()
    for name, path in pairs { ENOENT = "/no/such/file",
        ENOTDIR = LICENSE .. "/x" } do
        it("answer " .. name .. " until `valid` is over", forked(function()
            local loop = cached { open_file_cache_errors = 1,
                open_file_cache_valid = 30 }
            for _ = 1, 3 do
                assert.same({ nil, errno[name], path }, { open(loop, path) })
            end
            assert.equal(1, files.calls("openat2"))
            later(loop, 30)
            open(loop, path)
            assert.equal(2, files.calls("openat2"))
            assert.same({ 0, 2, 1, 0, 0, 2 }, counts(loop))
        end))
    end

    it("are not kept unless asked for, nor of other kinds",
        forked(function()
            local loop = cached()
            open(loop, "/no/such")
            assert.same({ 0, 1, 0, 0, 0, 0 }, counts(loop))
            loop.conf.open_file_cache_errors = 1
            inject.ql_inject_fail("openat2", -1, 1, 1, errno.EMFILE)
            assert.same({ nil, errno.EMFILE, LICENSE },
                { open(loop, LICENSE) })
            open(loop, HERE .. "/docs")
            assert.equal(0, stat(loop, "cache_entries"))
        end))

    it("name the root where it is the root's", forked(function()
        local loop = cached { open_file_cache_errors = 1 }
        for _ = 1, 2 do
            assert.same({ nil, errno.ENOENT, "/no/such" },
                { open(loop, "x", { root = "/no/such" }) })
        end
        assert.equal(1, stat(loop, "cache_negative"))
    end))

    it("give way to a file, and a file to them", forked(function()
        local loop = cached { open_file_cache_errors = 1,
            open_file_cache_valid = 0 }
        local path = files.make("x")
        for _ = 1, 2 do
            assert.equal("x", read(loop, path))
            os.remove(path)
            assert.same({ nil, errno.ENOENT }, { read(loop, path) })
            files.write(path, "x", 0)
        end
        assert.equal(1, stat(loop, "cache_entries"))
        os.remove(path)
    end))
end)

describe("an open with the cache", function()
    it("by a thread is kept too; two at once share", forked(function()
        local loop = cached()
        local path = files.make("x")
        inject.ql_inject_fail("openat2", -1, 1, 2, errno.EAGAIN)
        local one, two = begin(loop, path), begin(loop, path)
        local a, b = finish(loop, one), finish(loop, two)
        assert.is_true(a == b)
        C.ql_file_close(a)
        C.ql_file_close(b)
        assert.same({ 0, 2, 1, 0, 1, 0 }, counts(loop))
        assert.equal(1, stat(loop, "files_live"))
        os.remove(path)
    end))

    it("that nobody takes is kept or closed", forked(function()
        local loop = cached()
        local path = files.make("x")
        C.ql_call_free(begin(loop, path).call) -- opened
        C.ql_call_free(begin(loop, path).call) -- a hit
        assert.same({ 1, 1, 1, 0, 0, 0 }, counts(loop))
        C.ql_open_cache_drop(loop)
        assert.equal(0, stat(loop, "files_live"))
        os.remove(path)
    end))

    it("does without memory for an entry", forked(function()
        local path = files.make("x")
        for n = 3, 4 do -- after the call's and the file's
            local loop = cached { open_file_cache_errors = 1 }
            inject.ql_inject_fail("malloc", -1, n, n, errno.ENOMEM)
            C.ql_file_close((open(loop, path)))
            assert.equal(0, stat(loop, "cache_entries"))
            assert.equal("x", read(loop, path))
            assert.equal(1, stat(loop, "cache_entries"))
            C.ql_open_cache_drop(loop)
        end
        os.remove(path)
    end))

    it("finds each of many", forked(function()
        local loop = cached { open_file_cache = 100 }
        for i = 1, 300 do
            local path = ("%s/%sLICENSE"):format(HERE, ("./"):rep(i))
            C.ql_file_close((open(loop, path)))
            C.ql_file_close((open(loop, path)))
        end
        assert.same({ 300, 300, 100, 200, 0, 0 }, counts(loop))
    end))

    it("after the cache was switched off is not kept", forked(function()
        local loop = cached()
        local path = files.make("x")
        inject.ql_inject_fail("openat2", -1, 1, 1, errno.EAGAIN)
        local o = begin(loop, path)
        loop.conf.open_file_cache = 0
        C.ql_open_cache_drop(loop)
        C.ql_file_close(finish(loop, o))
        assert.same({ 0, 0 }, { stat(loop, "cache_entries"),
            stat(loop, "files_live") })
        os.remove(path)
    end))

    it("leaves nothing at the loop's end", forked(function()
        local conf = helper.conf { open_file_cache = 10 }
        local loop = C.ql_loop_create(conf, inject.ql_inject_new(nil))
        local path = files.make("x")
        C.ql_file_close((open(loop, path)))
        inject.ql_inject_fail("openat2", -1, 1, 1, errno.EAGAIN)
        C.ql_call_free(begin(loop, LICENSE).call) -- on its way
        os.remove(path)
        C.ql_loop_destroy(loop)
    end))
end)
