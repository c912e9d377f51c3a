local helper = require "spec.helper"
local calls = require "spec.support.calls"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno

ffi.cdef [[
typedef struct {
    int fd;
    bool there;
    struct {
        int dir;
        const char *name;
    } place;
    char path[4096];
    char target[4096];
} spec_temp_t;
void ql__temp_init(spec_temp_t *temp);
int ql__temp_open(const ql_sys_t *sys, spec_temp_t *temp, const char *dir,
                  const char *prefix, mode_t mode);
int ql__temp_beside(ql_path_call_t *p, spec_temp_t *temp, const char *path,
                    mode_t mode);
int ql__temp_commit(const ql_sys_t *sys, spec_temp_t *temp, bool excl);
void ql__temp_discard(const ql_sys_t *sys, spec_temp_t *temp);
int ql__write_all(const ql_sys_t *sys, int fd, const char *data, size_t size);
]]

local function in_directory(fn)
    return helper.forked(function()
        calls.in_directory(function(dir)
            local temp = ffi.new("spec_temp_t")
            local call = ffi.new("ql_path_call_t")
            local sys = inject.ql_inject_new(nil)
            call.call.loop = helper.loop({}, sys)
            C.ql__temp_init(temp)
            fn(dir, sys, temp, call)
        end)
    end)
end

local function mode_of(path)
    return calls.shell("stat -c %%a %s", path)
end

describe("a temporary file", function()
    it("has a new name each time, and its mode", in_directory(
        function(dir, sys, temp)
            local seen = {}
            for _ = 1, 20 do
                assert.equal(0, C.ql__temp_open(sys, temp, dir, "p-", 384))
                local name = ffi.string(temp.path)
                assert.matches("^" .. dir:gsub("%p", "%%%0")
                    .. "/p%-[a-z2-7]+$", name)
                assert.equal(#dir + 19, #name)
                assert.is_nil(seen[name])
                assert.equal("600", mode_of(name))
                seen[name] = true
                C.ql__temp_discard(sys, temp)
            end
            assert.equal("", calls.names(dir))
        end))

    it("tries another name where one is taken, not for ever",
        in_directory(function(dir, sys, temp)
            inject.ql_inject_fail("open", -1, 1, 3, errno.EEXIST)
            inject.ql_inject_fail("getrandom", -1, 2, 2, errno.EINTR)
            assert.equal(0, C.ql__temp_open(sys, temp, dir, "", 384))
            assert.equal(4, calls.calls("open"))
            C.ql__temp_discard(sys, temp)
            inject.ql_inject_fail("open", -1, 1, 0, errno.EEXIST)
            assert.equal(-1, C.ql__temp_open(sys, temp, dir, "", 384))
            assert.same({ errno.EEXIST, 104 },
                { ffi.errno(), calls.calls("open") })
        end))

    for call, err in pairs { open = errno.EMFILE, getrandom = errno.ENOSYS } do
        it("fails where " .. call .. " does", in_directory(
            function(dir, sys, temp)
                inject.ql_inject_fail(call, -1, 1, 1, err)
                assert.equal(-1, C.ql__temp_open(sys, temp, dir, "", 384))
                assert.same({ err, -1, false },
                    { ffi.errno(), temp.fd, temp.there })
            end))
    end

    it("refuses a name that is too long", in_directory(
        function(dir, sys, temp)
            for _, prefix in ipairs { ("p"):rep(4096), ("p"):rep(250) } do
                assert.equal(-1, C.ql__temp_open(sys, temp, dir, prefix, 384))
                assert.equal(36, ffi.errno())
            end
        end))
end)

describe("a file beside another", function()
    local function replace(sys, temp, call, path, data, excl)
        assert.equal(0, C.ql__temp_beside(call, temp, path, 420))
        assert.equal(0, C.ql__write_all(sys, temp.fd, data, #data))
        return C.ql__temp_commit(sys, temp, excl or false)
    end

    it("takes its place, its permissions and its owner", in_directory(
        function(dir, sys, temp, call)
            local path = dir .. "/file"
            calls.write(path, "old")
            os.execute(("chown 1:2 %s; chmod 4751 %s"):format(path, path))
            assert.equal(0, replace(sys, temp, call, path, "new"))
            assert.equal("4751 1 2", calls.shell("stat -c '%%a %%u %%g' %s",
                path))
            assert.equal("new", calls.read(path))
            assert.equal("file", calls.names(dir))
        end))

    it("leaves set-id bits where it may not leave the owner",
        in_directory(function(dir, sys, temp, call)
            local path = dir .. "/file"
            calls.write(path, "old")
            os.execute("chmod 4751 " .. path)
            inject.ql_inject_fail("fchown", -1, 1, 1, errno.EPERM)
            assert.equal(0, replace(sys, temp, call, path, "new"))
            assert.equal("751", mode_of(path))
        end))

    it("gives another group no more than all others have",
        in_directory(function(dir, sys, temp, call)
            local path = dir .. "/file"
            calls.write(path, "old")
            os.execute("chmod 2764 " .. path)
            inject.ql_inject_fail("fchown", -1, 1, 2, errno.EPERM)
            assert.equal(0, replace(sys, temp, call, path, "new"))
            assert.equal("744", mode_of(path))
        end))

    it("is as new as its place, less the umask", in_directory(
        function(dir, sys, temp, call)
            assert.equal(0, replace(sys, temp, call, dir .. "/file", "new"))
            assert.equal("644", mode_of(dir .. "/file"))
        end))

    it("leaves a symbolic link, and replaces what that leads to",
        in_directory(function(dir, sys, temp, call)
            os.execute(("cd %s && mkdir sub && echo old >sub/file && "
                .. "ln -s sub/file link"):format(dir))
            assert.equal(0, replace(sys, temp, call, dir .. "/link", "new"))
            assert.equal("new", calls.read(dir .. "/sub/file"))
            assert.equal("sub/file", calls.shell("readlink %s/link", dir))
        end))

    it("works in the working directory and in the root", in_directory(
        function(_, sys, temp, call)
            for _, dir in ipairs { "", "/" } do
                local path = dir .. "quoll-spec-" .. C.getpid()
                local ok = replace(sys, temp, call, path, "new")
                local data = calls.read(path)
                os.remove(path)
                assert.same({ 0, "new" }, { ok, data })
            end
        end))

    it("refuses what is no regular file", in_directory(
        function(dir, _, temp, call)
            ffi.C.symlink("/dev/null", dir .. "/null")
            for path, err in pairs { [dir] = errno.EISDIR,
                ["/dev/null"] = errno.EINVAL,
                [dir .. "/null"] = errno.EINVAL } do
                assert.equal(-1, C.ql__temp_beside(call, temp, path, 420))
                assert.equal(err, ffi.errno(), path)
            end
            assert.equal("not a regular file", ffi.string(call.why))
            assert.equal("null", calls.names(dir))
        end))

    it("does not replace what came meanwhile, if asked so", in_directory(
        function(dir, sys, temp, call)
            for _, err in ipairs { 0, errno.EINVAL, errno.ENOSYS } do
                local path = dir .. "/file" .. err
                inject.ql_inject_clear()
                if err ~= 0 then
                    inject.ql_inject_fail("renameat2", -1, 1, 0, err)
                end
                assert.equal(0, replace(sys, temp, call, path, "first", true))
                assert.equal(-1, replace(sys, temp, call, path, "second", true))
                assert.equal(errno.EEXIST, ffi.errno())
                assert.equal("first", calls.read(path))
            end
            assert.equal("file0 file22 file38", calls.names(dir))
        end))

    for _, name in ipairs { "close", "renameat2", "fchmod" } do
        it("leaves everything as it was where " .. name .. " fails",
            in_directory(function(dir, sys, temp, call)
                local path = dir .. "/file"
                calls.write(path, "old")
                inject.ql_inject_fail(name, -1, 1, 1, 122) -- EDQUOT
                local rc = C.ql__temp_beside(call, temp, path, 420)
                if rc == 0 then
                    rc = C.ql__temp_commit(sys, temp, false)
                end
                assert.same({ -1, 122, -1, false },
                    { rc, ffi.errno(), temp.fd, temp.there })
                assert.same({ "old", "file" },
                    { calls.read(path), calls.names(dir) })
            end))
    end

    it("takes a close that was interrupted for one", in_directory(
        function(dir, sys, temp, call)
            inject.ql_inject_fail("close", -1, 1, 1, errno.EINTR)
            assert.equal(0, replace(sys, temp, call, dir .. "/file", "new"))
        end))
end)
