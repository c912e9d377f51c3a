local helper = require "spec.helper"
local calls = require "spec.support.calls"
local C, inject, errno = helper.C, helper.inject, helper.errno
local forked, finish = helper.forked, calls.finish

local function in_directory(fn)
    return forked(function()
        calls.in_directory(function(dir)
            fn(calls.loop({ threads = 1 }), dir)
        end)
    end)
end

describe("directories", function()
    it("are made with permissions and removed", in_directory(
        function(loop, dir)
            local path = dir .. "/new"
            assert.equal(0, finish(loop,
                C.ql_create_dir(loop, path, tonumber("700", 8), nil)))
            assert.equal("700 directory",
                calls.shell("stat -c '%%a %%F' %s", path))
            local _, err = finish(loop, C.ql_create_dir(loop, path, 511, nil))
            assert.equal(errno.EEXIST, err)
            assert.equal(0, finish(loop, C.ql_delete_dir(loop, path, nil)))
            _, err = finish(loop, C.ql_delete_dir(loop, path, nil))
            assert.equal(errno.ENOENT, err)
        end))

    for name, tail in pairs { ["a path"] = "/a/b/c/d",
        ["doubled and trailing slashes"] = "//a///b/c//d//" } do
        it("are made with those above, by " .. name, in_directory(
            function(loop, dir)
                local function make()
                    return finish(loop,
                        C.ql_create_full_path(loop, dir .. tail, 511, nil))
                end
                assert.equal(0, make())
                assert.equal("directory",
                    calls.shell("stat -c %%F %s/a/b/c/d", dir))
                assert.equal(0, make())
            end))
    end

    it("need no rights on those that are there", in_directory(
        function(loop, dir)
            os.execute("mkdir " .. dir .. "/a")
            inject.ql_inject_fail("mkdirat", -1, 2, 2, 30) -- EROFS
            assert.equal(0, finish(loop,
                C.ql_create_full_path(loop, dir .. "/a/b/c", 511, nil)))
        end))

    it("may be made by somebody else at the same time", in_directory(
        function(loop, dir)
            os.execute("mkdir -p " .. dir .. "/a/b")
            inject.ql_inject_fail("mkdirat", -1, 1, 1, errno.ENOENT)
            assert.equal(0, finish(loop,
                C.ql_create_full_path(loop, dir .. "/a/b", 511, nil)))
        end))

    it("fail where a file is in the way", in_directory(function(loop, dir)
        calls.write(dir .. "/file", "x")
        local _, err = finish(loop,
            C.ql_create_full_path(loop, dir .. "/file", 511, nil))
        assert.equal(errno.EEXIST, err)
        _, err = finish(loop,
            C.ql_create_full_path(loop, dir .. "/file/a/b", 511, nil))
        assert.equal(errno.ENOTDIR, err)
        os.execute(("ln -s nowhere %s/link"):format(dir))
        _, err = finish(loop,
            C.ql_create_full_path(loop, dir .. "/link", 511, nil))
        assert.equal(errno.EEXIST, err)
    end))

    it("fail in the middle with what went wrong", in_directory(
        function(loop, dir)
            inject.ql_inject_fail("mkdirat", -1, 3, 3, errno.ENOSPC)
            local _, err = finish(loop,
                C.ql_create_full_path(loop, dir .. "/a/b/c", 511, nil))
            assert.same({ errno.ENOSPC, 3 }, { err, calls.calls("mkdirat") })
            _, err = finish(loop, C.ql_create_full_path(loop, "", 511, nil))
            assert.equal(errno.ENOENT, err)
        end))
end)

describe("names", function()
    it("are moved and removed", in_directory(function(loop, dir)
        local from, to = dir .. "/from", dir .. "/to"
        calls.write(from, "new")
        calls.write(to, "old")
        assert.equal(0, finish(loop, C.ql_rename_file(loop, from, to, nil)))
        assert.equal("new", calls.read(to))
        local _, err = finish(loop, C.ql_rename_file(loop, from, to, nil))
        assert.equal(errno.ENOENT, err)
        assert.equal(0, finish(loop, C.ql_delete_file(loop, to, nil)))
        assert.equal("", calls.names(dir))
        _, err = finish(loop, C.ql_delete_file(loop, dir, nil))
        assert.equal(errno.EISDIR, err)
    end))

    it("lead elsewhere", in_directory(function(loop, dir)
        local path = dir .. "/link"
        assert.equal(0, finish(loop, C.ql_symlink(loop, "../x y", path, nil)))
        assert.equal("../x y", calls.shell("readlink %s", path))
        local call = C.ql_symlink(loop, "target", path, nil)
        local _, err = calls.wait(loop, call)
        assert.equal(errno.EEXIST, err)
        assert.equal(path, helper.ffi.string(call.path))
        C.ql_call_free(call.call)
    end))

    for _, call in ipairs { "ql_delete_file", "ql_delete_dir" } do
        it("tell the errno of " .. call, in_directory(function(loop, dir)
            inject.ql_inject_fail("unlinkat", -1, 1, 1, errno.EIO)
            local res, err = finish(loop, C[call](loop, dir .. "/x", nil))
            assert.same({ nil, errno.EIO }, { res, err })
        end))
    end
end)

describe("a call on a path", function()
    it("has its own copies", forked(function()
        local loop = calls.loop()
        local from = helper.ffi.new("char[9]", "/nowhere")
        local call = C.ql_rename_file(loop, from, "/to", nil)
        from[1] = 120
        assert.equal("/nowhere", helper.ffi.string(call.path))
        assert.equal("/to", helper.ffi.string(call.to))
        C.ql_call_free(call.call)
    end))

    it("without memory is an error", forked(function()
        local loop = calls.loop()
        inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
        assert.is_true(C.ql_delete_file(loop, "/x", nil) == nil)
        assert.equal(errno.ENOMEM, helper.ffi.errno())
    end))

    it("that no thread has begun is not made", in_directory(
        function(loop, dir)
            inject.ql_inject_delay("mkdirat", -1, 1, 1, 50000)
            local first = C.ql_create_dir(loop, dir .. "/first", 511, nil)
            local second = C.ql_create_dir(loop, dir .. "/second", 511, nil)
            calls.begin(first)
            helper.run_until(loop, function()
                C.ql_notify(loop)
                return calls.calls("mkdirat") == 1
            end)
            calls.begin(second)
            C.ql_call_free(second.call)
            C.ql_call_free(first.call)
            assert.equal(1, calls.stat(loop, "orphans"))
            helper.run_until(loop, function()
                return calls.stat(loop, "orphans") == 0
            end)
            assert.equal("first", calls.names(dir))
        end))
end)
