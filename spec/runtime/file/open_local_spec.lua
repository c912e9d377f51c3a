-- What opening and closing a file may do on the loop's thread, by its file
-- system.
local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked, stat = helper.forked, files.stat
local if_mounting = files.mounting(it, pending)

local O_RDWR = 2

local function scripted()
    return helper.loop({}, inject.ql_inject_new(nil))
end

local function open(loop, path, opts)
    local o = C.ql_open_create(loop, path,
        ffi.new("ql_open_opts_t", opts or {}))
    assert(o ~= nil, "ql_open_create failed")
    o.call.event.handler = inject.ql_probe
    assert.equal(C.NGX_OK, files.await(loop, o.call))
    local file = C.ql_open_take(o)
    C.ql_call_free(o.call)
    return file
end

local function close(loop, file)
    C.ql_file_close(file)
    helper.run_until(loop, function()
        return stat(loop, "pool_pending") == 0
    end)
end

describe("an open for writing", function()
    it("of a file at hand is a thread's", forked(function()
        local loop = scripted()
        local path = files.make("x")
        close(loop, open(loop, path, { flags = O_RDWR }))
        assert.same({ 0, 0, 1 }, { files.calls("openat2"),
            stat(loop, "open_cached"), stat(loop, "open_pool") })
        os.remove(path)
    end))

    if_mounting("copies an overlay's file up on a thread", forked(function()
        files.on_overlay("below", function(dir)
            local loop = scripted()
            local path = dir .. "/below"
            files.warm(path)
            close(loop, open(loop, path, { flags = O_RDWR }))
            assert.same({ 0, 1 }, { files.calls("openat2"),
                stat(loop, "open_pool") })
        end)
    end))
end)

describe("a file that is not known to be local", function()
    it("is closed by a thread", forked(function()
        local loop = scripted()
        local path = files.make("x")
        -- Its type is what fstatfs says; without a word it is unknown.
        inject.ql_inject_fail("fstatfs", -1, 1, 1, helper.errno.EIO)
        local file = open(loop, path)
        assert.equal(0, file["local"])
        close(loop, file)
        assert.same({ 1, 1 }, { stat(loop, "close_pool"),
            files.calls("close") })
        os.remove(path)
    end))
end)
