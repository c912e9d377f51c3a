-- Scripts that leave their reads: 10,000 cancelled ones, and the end of the
-- state with some in flight.
local helper = require "spec.helper"
local files = require "spec.support.files"

local SIZE = 256 * files.KIB

local head = [[
    local ffi = require "ffi"
    local inject = require("spec.support.native").inject
    local quoll = require "quoll"
    local path, mode, how, late = arg[1], arg[2], arg[3], tonumber(arg[4])
    quoll.configure { drain = 200, worker_aio_requests = 1024, threads = 4 }
    inject.ql_inject_new(nil)
    local loop = ffi.cast("ql_loop_t *", require("quoll.core").loop())
    inject.ql_inject_install(loop)
    if mode == "r" then
        inject.ql_inject_fail("preadv2", -1, 1, 0, 95)
    end
    local file, reads

    local function read(n)
        file, reads = assert(quoll.open(path, mode)), {}
        for i = 1, n do
            reads[i] = quoll.spawn(file.pread, file, 4096, i % 60 * 4096)
        end
        quoll.yield()
        quoll.yield()
    end
]]

local function script(source, mode, how)
    local path = files.make(files.bytes(SIZE))
    finally(function() os.remove(path) end)
    return helper.script(head .. source,
        { path, mode, how or "", helper.seconds(0.6) }, { timeout = 20 })
end

local function both(name, fn)
    for lane, mode in pairs { direct = "rd", ["by threads"] = "r" } do
        it(name .. ": " .. lane, function() fn(mode) end)
    end
end

describe("10,000 reads that a script cancels in flight", function()
    both("end at once, and leave nothing", function(mode)
        local result = script([[
            pcall(ffi.cdef, "ssize_t write(int fd, const void *p, size_t n);")
            local function settled()
                local deadline = quoll.now() + 10
                local f
                repeat
                    quoll.sleep(0.001)
                    f = quoll.stats().files
                until f.reads + f.orphans == 0 or quoll.now() > deadline
                return f.reads, f.orphans, quoll.stats().aio.in_flight
            end
            -- Nothing comes back from the disk; from a thread, late.
            if mode == "rd" then
                inject.ql_inject_result("io_getevents", -1, 1, 0, 0)
            else
                inject.ql_inject_delay("pread", -1, 1, 0, late * 1e6)
            end
            quoll.run(function()
                read(10000)
                print(quoll.stats().files.reads)
                for i = 1, #reads do reads[i]:cancel() end
                local cancelled = 0
                for i = 1, #reads do
                    local _, _, code = reads[i]:wait()
                    cancelled = cancelled + (code == "CANCELLED" and 1 or 0)
                end
                local left = quoll.stats().files.orphans
                print(cancelled, left == (mode == "rd" and 1024 or 4))
                inject.ql_inject_clear()
                if mode == "rd" then
                    ffi.C.write(loop.aio.eventfd, ffi.new("uint64_t[1]", 1), 8)
                end
                print(settled())
                print(#file:pread(4096, 4096))
            end)
        ]], mode)
        assert.same({ 0, "10000\n10000\ttrue\n0\t0\t0\n4096\n" },
            { result.code, result.out }, result.err)
    end)
end)

describe("a script that ends with 64 reads in flight", function()
    -- How; the exit code, and what it says.
    for how, expected in pairs {
        ["by returning"] = { 0, "tasks were alive" },
        ["by an error"] = { 1, "on purpose" },
        ["by os.exit"] = { 3, "tasks were alive" },
    } do
        both("closes its state in good time, " .. how, function(mode)
            local result = script([[
                -- Not done before the end; then they are.
                inject.ql_inject_result("io_getevents", -1, 1, 4, 0)
                inject.ql_inject_delay("pread", -1, 1, 0, 20000)
                local function main()
                    read(64)
                    print(quoll.stats().files.reads > 0)
                    if how == "by an error" then
                        error "on purpose"
                    elseif how == "by os.exit" then
                        os.exit(3, true) -- with lua_close
                    end
                end
                if how == "by returning" then
                    main()
                else
                    quoll.run(main)
                end
            ]], mode, how)
            assert.same({ expected[1], "true\n" },
                { result.code, result.out }, result.err)
            assert.matches(expected[2], result.err)
        end)
    end

    it("does not wait for a disk that hangs longer than `drain`", function()
        local result = script([[
            inject.ql_inject_result("io_getevents", -1, 1, 0, 0)
            inject.ql_inject_delay("io_getevents", -1, 1, 0, 5000)
            read(64)
            print(quoll.stats().files.reads)
        ]], "rd")
        assert.same({ 0, "64\n" }, { result.code, result.out }, result.err)
        assert.matches("64 reads in flight left behind", result.err)
    end)
end)
