local helper = require "spec.helper"
local calls = require "spec.support.calls"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno

local EXDEV, ELOOP = 18, 40
local OUTSIDE = "outside of its root"

-- fn(loop, root, dir): root is dir/site, with links that lead out of it.
local function in_tree(fn)
    return helper.forked(function()
        calls.in_directory(function(dir)
            assert(os.execute(([[cd %s && mkdir -p site/sub out &&
                echo secret >out/secret && echo inside >site/file &&
                cd site && ln -s ../out up && ln -s "$PWD/../out" abs &&
                ln -s sub in && ln -s file link && ln -s up/secret far &&
                ln -s loop loop && ln -s /proc/self/root magic]])
                :format(dir)) == 0)
            fn(calls.loop(), dir .. "/site", dir)
        end)
    end)
end

-- What becomes of a call: its result, or nil, errno, what it is about, why.
local function outcome(loop, call)
    local res, err = calls.wait(loop, call)
    local p = ffi.cast("ql_path_call_t *", call)
    local result = { res }
    if not res then
        result = { nil, err, ffi.string(p.at),
            p.why ~= nil and ffi.string(p.why) or nil }
    end
    C.ql_call_free(calls.of(call))
    return result
end

-- Each: a call on one path below a root.
local operations = {
    stat = C.ql_file_info, lstat = C.ql_link_info, unlink = C.ql_delete_file,
    rmdir = C.ql_delete_dir, readlink = C.ql_readlink,
    realpath = C.ql_realpath, readdir = C.ql_open_dir,
    mkdir = function(loop, path, root)
        return C.ql_create_dir(loop, path, 511, root)
    end,
    ["mkdir -p"] = function(loop, path, root)
        return C.ql_create_full_path(loop, path, 511, root)
    end,
    rename = function(loop, path, root)
        return C.ql_rename_file(loop, path, "new", root)
    end,
    symlink = function(loop, path, root)
        return C.ql_symlink(loop, "x", path, root)
    end,
    writefile = function(loop, path, root)
        return C.ql_save_file(loop, path, "x", 1, 420, 0, root)
    end,
    append = function(loop, path, root)
        return C.ql_save_file(loop, path, "x", 1, 420, C.QL_SAVE_APPEND, root)
    end,
    copyfile = function(loop, path, root)
        return C.ql_copy_file(loop, path, "new", 0, root)
    end,
}

describe("below a root", function()
    for name, create in pairs(operations) do
        it(name .. " goes nowhere else", in_tree(function(loop, root, dir)
            local before = calls.shell("ls -AlR %s | grep -v ^total", dir)
            for _, path in ipairs { "../out/secret", "up/secret",
                "abs/secret", dir .. "/out/secret", "sub/../../out/secret",
                "magic/etc/passwd" } do
                assert.same({ nil, EXDEV, path, OUTSIDE },
                    outcome(loop, create(loop, path, root)))
            end
            assert.equal(before,
                calls.shell("ls -AlR %s | grep -v ^total", dir))
        end))

        it(name .. " names a root that fails", in_tree(
            function(loop, root)
                assert.same({ nil, errno.ENOENT, root .. "/none" },
                    outcome(loop, create(loop, "file", root .. "/none")))
                assert.same({ nil, errno.ENOTDIR, root .. "/file" },
                    outcome(loop, create(loop, "x", root .. "/file")))
            end))

        it(name .. " without openat2 is refused", in_tree(
            function(loop, root)
                inject.ql_inject_fail("openat2", -1, 1, 0, errno.ENOSYS)
                local result = outcome(loop, create(loop, "sub/x", root))
                assert.same({ nil, errno.ENOSYS }, { result[1], result[2] })
                assert.matches("root needs openat2", result[4])
            end))
    end

    it("what has a name of its own is found", in_tree(
        function(loop, root, dir)
            local function ok(call)
                assert.equal("number", type(outcome(loop, call)[1]))
            end
            ok(C.ql_create_full_path(loop, "a//b/../c/", 511, root))
            ok(C.ql_create_full_path(loop, "a/b/c", 511, root))
            ok(C.ql_create_full_path(loop, ".", 511, root))
            ok(C.ql_save_file(loop, "a/b/new", "1", 1, 420, 0, root))
            ok(C.ql_save_file(loop, "in/new", "2", 1, 420, 0, root))
            ok(C.ql_save_file(loop, "link", "3", 1, 420,
                C.QL_SAVE_APPEND, root))
            ok(C.ql_copy_file(loop, "link", "in/copy", 0, root))
            ok(C.ql_rename_file(loop, "a/b/new", "./moved", root))
            ok(C.ql_symlink(loop, "../out", "sub/out", root))
            ok(C.ql_delete_file(loop, "up", root))
            ok(C.ql_delete_dir(loop, "a/b/c/", root))
            assert.equal("1", calls.read(root .. "/moved"))
            assert.equal("inside\n3", calls.read(root .. "/sub/copy"))
            assert.equal("copy new out", calls.names(root .. "/sub"))
            assert.equal("secret", calls.names(dir .. "/out"))
        end))

    it("a link as the last name is followed by nothing that would leave",
        in_tree(function(loop, root, dir)
            for _, path in ipairs { "link", "far", "up" } do
                assert.same({ nil, ELOOP, path }, outcome(loop,
                    C.ql_save_file(loop, path, "x", 1, 420, 0, root)))
                assert.same({ nil, ELOOP, path }, outcome(loop,
                    C.ql_copy_file(loop, "file", path, 0, root)))
            end
            for _, path in ipairs { "up/", "in/", "sub/", "new/" } do
                assert.same({ nil, errno.EISDIR, path }, outcome(loop,
                    C.ql_save_file(loop, path, "x", 1, 420, 0, root)))
            end
            assert.same({ nil, EXDEV, "up/", OUTSIDE },
                outcome(loop, C.ql_readlink(loop, "up/", root)))
            assert.same({ nil, EXDEV, "up/", OUTSIDE },
                outcome(loop, C.ql_link_info(loop, "up/", root)))
            assert.same({ nil, errno.EINVAL, "file" },
                outcome(loop, C.ql_readlink(loop, "file", root)))
            assert.same({ nil, errno.EEXIST, "up" },
                outcome(loop, C.ql_create_full_path(loop, "up", 511, root)))
            assert.equal("secret\n", calls.read(dir .. "/out/secret"))
        end))

    it("the last name is never that of another directory", in_tree(
        function(loop, root, dir)
            for name, create in pairs(operations) do
                for _, path in ipairs { "..", "../", "sub/../..", "/", "" } do
                    local result = outcome(loop, create(loop, path, root))
                    assert.is_nil(result[1], name .. " " .. path)
                end
            end
            assert.equal("out site", calls.names(dir))
        end))

    it("is tried again when a rename was in the way", in_tree(
        function(loop, root)
            inject.ql_inject_fail("openat2", -1, 1, 5, errno.EAGAIN)
            assert.equal(0, outcome(loop,
                C.ql_create_dir(loop, "sub/new", 511, root))[1])
        end))
end)

describe("what a call failed at", function()
    it("is the other path, where that could not be looked up", in_tree(
        function(loop, root)
            assert.same({ nil, EXDEV, "up/x", OUTSIDE },
                outcome(loop, C.ql_rename_file(loop, "file", "up/x", root)))
            assert.same({ nil, errno.ENOENT, "none" },
                outcome(loop, C.ql_rename_file(loop, "none", "x", root)))
        end))

    it("is what a copy is made of, or the copy", in_tree(
        function(loop, root)
            local function copy(from, to, flags)
                return outcome(loop,
                    C.ql_copy_file(loop, from, to, flags or 0, root))
            end
            assert.same({ nil, errno.ENOENT, "none" }, copy("none", "x"))
            assert.same({ nil, errno.ENOENT, "a/x" }, copy("file", "a/x"))
            assert.same({ nil, errno.EISDIR, "sub" }, copy("file", "sub"))
            assert.same({ nil, errno.EEXIST, "link" },
                copy("file", "link", C.QL_COPY_EXCL))
            for _, fault in ipairs {
                { "copy_file_range", errno.EIO, "file" },
                { "copy_file_range", errno.ENOSPC, "x" },
                { "read", errno.EIO, "file" }, { "write", errno.ENOSPC, "x" },
            } do
                local call, err, about = unpack(fault)
                inject.ql_inject_clear()
                inject.ql_inject_fail("copy_file_range", -1, 1, 0, EXDEV)
                inject.ql_inject_fail(call, -1, 1, 1, err)
                assert.same({ nil, err, about }, copy("file", "x"))
            end
            assert.equal(7, copy("file", "x")[1])
        end))
end)
