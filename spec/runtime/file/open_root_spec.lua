local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked = helper.forked

local EXDEV, ELOOP = 18, 40
local O_RDWR, O_CREAT = 2, 0x40

pcall(ffi.cdef, "int symlink(const char *to, const char *path);")

-- A directory with a root in it; around the root what must not be reached.
local function tree()
    local dir = os.tmpname()
    os.remove(dir)
    for _, name in ipairs { "", "/site", "/site/sub", "/sites" } do
        assert(ffi.C.mkdir(dir .. name, 448) == 0)
    end
    files.write(dir .. "/secret", "secret", 0)
    files.write(dir .. "/sites/secret", "secret", 0)
    files.write(dir .. "/site/file", "inside", 0)
    for name, to in pairs {
        ["/site/link"] = "file", ["/site/sub/back"] = "../file",
        ["/site/up"] = "..", ["/site/out"] = "../secret",
        ["/site/abs"] = dir .. "/secret", ["/site/self"] = dir .. "/site/file",
        ["/site/loop"] = "loop", ["/site/one"] = "two", ["/site/two"] = "one",
        ["/site/far"] = "sub/../../secret", ["/site/proc"] = "/proc/self/root",
        ["/site/dangling"] = "../new", ["/alias"] = "site",
    } do
        assert(ffi.C.symlink(to, dir .. name) == 0)
    end
    return dir
end

local function remove(dir)
    assert(os.execute("rm -r " .. dir) == 0)
end

-- The file's text, or nil, errno, why and what it is about.
local function open(loop, root, path, flags)
    local opts = ffi.new("ql_open_opts_t",
        { root = root, flags = flags or 0, permissions = 384 })
    local o = C.ql_open_create(loop, path, opts)
    o.call.event.handler = inject.ql_probe
    local rc
    helper.run_until(loop, function()
        rc = C.ql_call_attempt(o.call)
        return rc ~= C.NGX_AGAIN
    end)
    local result = { nil, o.call.err, o.why ~= nil and ffi.string(o.why) or "",
        o.at ~= nil and ffi.string(o.at) }
    local file = rc == C.NGX_OK and C.ql_open_take(o)
    C.ql_call_free(o.call)
    if file then
        result = { files.read(loop, file, 100) }
        C.ql_file_close(file)
    end
    return unpack(result, 1, 4)
end

-- fn(loop, dir), the kernel having the paths at hand or not.
local function each_lane(fn)
    return forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local dir = tree()
        fn(loop, dir, function() end)
        fn(loop, dir, function()
            inject.ql_inject_fail("openat2", -1, 1, 1, errno.EAGAIN)
        end)
        assert.equal(0, files.stat(loop, "files_live"))
        remove(dir)
    end)
end

describe("below a root", function()
    local outside = { nil, EXDEV, "outside of its root" }
    local cases = {
        ["file"] = { "inside" }, ["./file"] = { "inside" },
        ["sub/../file"] = { "inside" }, ["sub//..//file"] = { "inside" },
        ["link"] = { "inside" }, ["sub/back"] = { "inside" },
        ["../secret"] = outside, ["sub/../../secret"] = outside,
        ["../site/file"] = outside, ["../sites/secret"] = outside,
        ["/file"] = outside, ["/etc/passwd"] = outside, ["/"] = outside,
        ["up/secret"] = outside, ["up/site/file"] = outside,
        ["out"] = outside, ["abs"] = outside, ["self"] = outside,
        ["far"] = outside, ["proc/etc/passwd"] = outside,
        ["loop"] = { nil, ELOOP, "" }, ["one"] = { nil, ELOOP, "" },
        ["missing"] = { nil, errno.ENOENT, "" },
        [""] = { nil, errno.ENOENT, "" },
        ["file/x"] = { nil, errno.ENOTDIR, "" },
        ["."] = { nil, errno.EISDIR, "" }, ["sub"] = { nil, errno.EISDIR, "" },
    }

    for path, expected in pairs(cases) do
        it(("%q is %s"):format(path, expected[1] or expected[2]),
            each_lane(function(loop, dir, far)
                far()
                local text, err, why = open(loop, dir .. "/site", path)
                assert.same(expected, { text, err, why })
            end))
    end

    it("nothing is created outside", forked(function()
        local loop = helper.loop()
        local dir = tree()
        for _, path in ipairs { "../new", "dangling", "/tmp/new", "up/new" } do
            local _, err = open(loop, dir .. "/site", path, O_RDWR + O_CREAT)
            assert.equal(EXDEV, err)
        end
        assert.is_nil(io.open(dir .. "/new"))
        assert.equal("", (open(loop, dir .. "/site", "sub/new",
            O_RDWR + O_CREAT)))
        remove(dir)
    end))

    it("magic links are not followed", each_lane(function(loop, dir, far)
        files.with(dir .. "/secret", function(fd)
            for _, path in ipairs { "fd/" .. fd, "cwd/LICENSE", "exe",
                "root/etc/passwd" } do
                far()
                local text, err = open(loop, "/proc/self", path)
                assert.same({ nil, ELOOP }, { text, err })
            end
        end)
    end))
end)

describe("a root", function()
    it("may be a symbolic link, and may be relative", forked(function()
        local loop = helper.loop()
        local dir = tree()
        assert.equal("inside", (open(loop, dir .. "/alias", "file")))
        assert.equal("inside", (open(loop, dir .. "/site/sub/..", "file")))
        assert.truthy((open(loop, ".", "LICENSE")))
        assert.truthy((open(loop, "docs/..", "LICENSE")))
        remove(dir)
    end))

    it("that is missing or no directory is what the error names",
        each_lane(function(loop, dir, far)
            for name, err in pairs { ["/none"] = errno.ENOENT,
                ["/secret"] = errno.ENOTDIR } do
                far()
                assert.same({ nil, err, "", dir .. name },
                    { open(loop, dir .. name, "file") })
            end
        end))

    for _, from in ipairs { 1, 2 } do
        it("without openat2 is refused, call " .. from, forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            inject.ql_inject_fail("openat2", -1, from, 0, errno.ENOSYS)
            for _ = 1, 2 do
                local text, err, why = open(loop, ".", "LICENSE")
                assert.same({ nil, errno.ENOSYS }, { text, err })
                assert.matches("root needs openat2", why)
            end
        end))
    end

    it("is tried again when a rename was in the way", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        inject.ql_inject_fail("openat2", -1, 1, 5, errno.EAGAIN)
        assert.truthy((open(loop, ".", "docs/../LICENSE")))
        inject.ql_inject_fail("openat2", -1, 1, 0, errno.EAGAIN)
        local _, err = open(loop, ".", "docs/../LICENSE")
        assert.equal(errno.EAGAIN, err)
    end))
end)
