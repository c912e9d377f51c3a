local helper = require "spec.helper"
local calls = require "spec.support.calls"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno

local function in_directory(fn, sys)
    return helper.forked(function()
        calls.in_directory(function(dir)
            fn(calls.loop(), dir)
        end)
    end, sys)
end

local kinds = { [tonumber("100000", 8)] = "file",
    [tonumber("40000", 8)] = "directory", [tonumber("120000", 8)] = "link",
    [tonumber("10000", 8)] = "fifo", [0] = "unknown" }

-- The code that ends it, and the number of entries; found: name -> type.
local function read(loop, dir, found)
    calls.of(dir).event.handler = helper.handler(function() end)
    local n, rc = 0, nil
    helper.run_until(loop, function()
        rc = C.ql_read_dir(dir)
        while rc == C.NGX_OK do
            n = n + 1
            if found then
                found[ffi.string(dir.name)] = kinds[dir.type]
            end
            C.ql_next_dir(dir)
            rc = C.ql_read_dir(dir)
        end
        return rc ~= C.NGX_AGAIN
    end)
    return rc, n
end

local function populate(dir)
    os.execute(("cd %s && mkdir sub && touch file && ln -s x link && "
        .. "mkfifo fifo"):format(dir))
    return { sub = "directory", file = "file", link = "link", fifo = "fifo" }
end

local function make_many(dir, n)
    os.execute(("cd %s && seq -f 'an-entry-with-a-long-name-%%06g' %d | "
        .. "xargs touch"):format(dir, n))
end

describe("a directory", function()
    it("has names and types, no dots, and an end that stays",
        in_directory(function(loop, path)
            local expected, found = populate(path), {}
            local dir = C.ql_open_dir(loop, path, nil)
            assert.same({ C.NGX_DONE, 4 }, { read(loop, dir, found) })
            assert.same(expected, found)
            assert.equal(C.NGX_DONE, C.ql_read_dir(dir))
            assert.equal(0, calls.of(dir).undo)
            C.ql_call_free(calls.of(dir))
        end))

    it("tells an entry again until it is gone past", in_directory(
        function(loop, path)
            populate(path)
            local dir = C.ql_open_dir(loop, path, nil)
            calls.of(dir).event.handler = helper.handler(function() end)
            helper.run_until(loop, function()
                return C.ql_read_dir(dir) == C.NGX_OK
            end)
            local first = ffi.string(dir.name)
            assert.equal(C.NGX_OK, C.ql_read_dir(dir))
            assert.equal(first, ffi.string(dir.name))
            C.ql_next_dir(dir)
            assert.equal(C.NGX_OK, C.ql_read_dir(dir))
            assert.not_equal(first, ffi.string(dir.name))
            C.ql_call_free(calls.of(dir))
        end))

    it("is read in batches, in the memory of one", in_directory(
        function(loop, path)
            make_many(path, 5000)
            -- The pool's own memory comes before.
            assert.equal(0, calls.finish(loop,
                C.ql_delete_dir(loop, "/gone", nil)) or 0)
            local dir = C.ql_open_dir(loop, path, nil)
            local allocations = calls.calls("malloc")
            assert.same({ C.NGX_DONE, 5000 }, { read(loop, dir) })
            assert.is_true(calls.stat(loop, "pool_jobs") >= 4)
            assert.equal(allocations, calls.calls("malloc"))
            C.ql_call_free(calls.of(dir))
        end))

    it("fails with the errno of its opening", in_directory(
        function(loop, path)
            calls.write(path .. "/file", "x")
            for tail, err in pairs { ["/gone"] = errno.ENOENT,
                ["/file"] = errno.ENOTDIR } do
                local dir = C.ql_open_dir(loop, path .. tail, nil)
                assert.equal(C.NGX_ERROR, (read(loop, dir)))
                assert.equal(err, calls.of(dir).err)
                C.ql_call_free(calls.of(dir))
            end
            inject.ql_inject_fail("open", -1, 1, 1, errno.EMFILE)
            local dir = C.ql_open_dir(loop, path, nil)
            assert.equal(C.NGX_ERROR, (read(loop, dir)))
            assert.equal(errno.EMFILE, calls.of(dir).err)
            C.ql_call_free(calls.of(dir))
        end))

    it("fails in the middle, once and for all", in_directory(
        function(loop, path)
            make_many(path, 3000)
            inject.ql_inject_fail("getdents64", -1, 2, 2, errno.EIO)
            local dir = C.ql_open_dir(loop, path, nil)
            local rc, n = read(loop, dir)
            assert.is_true(rc == C.NGX_ERROR and n > 100 and n < 3000)
            assert.equal(errno.EIO, calls.of(dir).err)
            assert.equal(C.NGX_ERROR, C.ql_read_dir(dir))
            C.ql_call_free(calls.of(dir))
        end))

    it("that is removed meanwhile ends", in_directory(function(loop, path)
        inject.ql_inject_fail("getdents64", -1, 1, 1, errno.ENOENT)
        local dir = C.ql_open_dir(loop, path, nil)
        assert.same({ C.NGX_DONE, 0 }, { read(loop, dir) })
        C.ql_call_free(calls.of(dir))
    end))

    it("is opened again after EINTR", in_directory(function(loop, path)
        inject.ql_inject_fail("open", -1, 1, 2, errno.EINTR)
        local dir = C.ql_open_dir(loop, path, nil)
        assert.same({ C.NGX_DONE, 0 }, { read(loop, dir) })
        C.ql_call_free(calls.of(dir))
    end))
end)

describe("a directory below a root", function()
    it("is found, but not by a way that leads outside", in_directory(
        function(loop, root)
            assert(os.execute(("cd %s && mkdir -p a/b && touch a/b/x && "
                .. "ln -s a/b in && ln -s /etc out"):format(root)) == 0)
            for path, count in pairs { ["a/b"] = 1, ["in"] = 1, ["."] = 3,
                ["a/../a/b"] = 1 }
            do
                local dir, found = C.ql_open_dir(loop, path, root), {}
                assert.same({ C.NGX_DONE, count }, { read(loop, dir, found) })
                C.ql_call_free(calls.of(dir))
            end
            for path, err in pairs { out = 18, ["/etc"] = 18, [".."] = 18,
                ["a/../../x"] = 18, none = errno.ENOENT }
            do
                local dir = C.ql_open_dir(loop, path, root)
                assert.equal(C.NGX_ERROR, (read(loop, dir)))
                assert.equal(err, calls.of(dir).err, path)
                C.ql_call_free(calls.of(dir))
            end
        end))

    it("meets renames and signals, and fails with its root", in_directory(
        function(loop, root)
            inject.ql_inject_fail("openat2", -1, 1, 3, errno.EAGAIN)
            inject.ql_inject_fail("openat2", -1, 4, 4, errno.EINTR)
            local dir = C.ql_open_dir(loop, ".", root)
            assert.same({ C.NGX_DONE, 0 }, { read(loop, dir) })
            C.ql_call_free(calls.of(dir))
            dir = C.ql_open_dir(loop, ".", root .. "/none")
            assert.equal(C.NGX_ERROR, (read(loop, dir)))
            assert.equal(errno.ENOENT, calls.of(dir).err)
            C.ql_call_free(calls.of(dir))
        end))
end)

describe("a directory whose file system knows no types", function()
    local function on_such(path)
        local sys = ffi.new("ql_sys_t", C.ql_sys_default)
        sys.getdents64 = inject.ql_probe_getdents64
        return helper.loop({}, inject.ql_inject_new(sys)),
            C.ql_open_dir, path, sys
    end

    it("has them all the same", helper.forked(function()
        calls.in_directory(function(path)
            local expected, found = populate(path), {}
            local loop, open, _, sys = on_such(path)
            local dir = open(loop, path, nil)
            assert.same({ C.NGX_DONE, 4 }, { read(loop, dir, found) })
            assert.same(expected, found)
            C.ql_call_free(calls.of(dir))
            helper.finish(loop)
            assert.truthy(sys)
        end)
    end))

    it("has unknown ones where an entry is gone", helper.forked(function()
        calls.in_directory(function(path)
            local found = {}
            calls.write(path .. "/file", "")
            local loop, open, _, sys = on_such(path)
            inject.ql_inject_fail("statx", -1, 1, 0, errno.ENOENT)
            local dir = open(loop, path, nil)
            assert.same({ C.NGX_DONE, 1 }, { read(loop, dir, found) })
            assert.same({ file = "unknown" }, found)
            C.ql_call_free(calls.of(dir))
            helper.finish(loop)
            assert.truthy(sys)
        end)
    end))
end)

describe("a directory that is let go in the middle", function()
    it("is closed by a thread", in_directory(function(loop, path)
        make_many(path, 3000)
        local dir = C.ql_open_dir(loop, path, nil)
        calls.of(dir).event.handler = helper.handler(function() end)
        helper.run_until(loop, function()
            return C.ql_read_dir(dir) == C.NGX_OK
        end)
        local jobs, closes = calls.stat(loop, "pool_jobs"),
            calls.calls("close")
        C.ql_call_free(calls.of(dir))
        helper.run_until(loop, function()
            return calls.stat(loop, "calls_live") == 0
        end)
        assert.same({ jobs + 1, closes + 1 }, {
            calls.stat(loop, "pool_jobs"), calls.calls("close") })
    end))

    it("while a thread reads it is closed afterwards", in_directory(
        function(loop, path)
            inject.ql_inject_delay("getdents64", -1, 1, 1, 20000)
            local dir = C.ql_open_dir(loop, path, nil)
            assert.equal(C.NGX_AGAIN, C.ql_read_dir(dir))
            helper.run_until(loop, function()
                C.ql_notify(loop)
                return calls.calls("getdents64") == 1
            end)
            C.ql_call_free(calls.of(dir))
            assert.equal(1, calls.stat(loop, "orphans"))
        end))
end)
