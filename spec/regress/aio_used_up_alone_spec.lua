-- Takes what other specs need: runs alone, after them.
local helper = require "spec.helper"
local files = require "spec.support.files"
local child = require "spec.support.child"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local SIZE = 40 * files.KIB

pcall(ffi.cdef, "int io_setup(int n, void **ctx);")

-- Takes what is left of the machine's AIO requests in a child; its end gives
-- them back. nil: this machine does not let it.
local function take_all()
    local holder = child.fork({ input = 0, out = 1, err = 2 }, function()
        local ctx = ffi.new("void *[1]")
        local aio = ffi.load "libaio.so.1"
        for _, n in ipairs { 65536, 16384, 4096, 1024, 256, 64, 16, 1 } do
            repeat
                ctx[0] = nil
            until aio.io_setup(n, ctx) ~= 0
        end
        ffi.C.write(1, "taken\n", 6)
        ffi.C.read(0, ffi.new("char[1]"), 1)
        ffi.C._exit(0)
    end)
    return holder, holder:line(10) == "taken"
end

describe("aio-max-nr used up by another process", function()
    it("leaves the other lanes, with one line", function()
        if helper.injected or helper.collecting or helper.sanitized then
            pending "takes what a suite that runs beside this one needs"
        end
        local holder, taken = take_all()
        local ok, err = pcall(forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local data = files.bytes(SIZE)
            local path = files.make(data)
            local file = files.open(loop, path, true)
            for i = 0, 9 do
                assert.equal(data:sub(i * 4096 + 1, (i + 1) * 4096),
                    files.read(loop, file, 4096, i * 4096))
            end
            local lines = helper.log()
            assert.same({ 1, C.QL_LOG_WARN }, { #lines, lines[1].level })
            assert.matches("io_setup", lines[1].text)
            files.close(file, path)
        end))
        holder:kill(9)
        holder:wait(10)
        if not taken then
            pending "this machine does not let its AIO requests be used up"
        end
        assert(ok, err)
    end)
end)
