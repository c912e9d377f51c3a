local helper = require "spec.helper"
local SIGINT, SIGQUIT = 2, 3

-- No core is dumped.
local prelude = [[
    io.stdout:setvbuf "line"
    local quoll = require "quoll"
    local ffi = require "ffi"
    ffi.cdef "int prctl(int option, long value); int getpid(void);"
    ffi.cdef "int kill(int pid, int signo);"
    ffi.C.prctl(4, 0)
    local function quit()
        ffi.C.kill(ffi.C.getpid(), 3)
    end
]]

local function script(source)
    return helper.script(prelude .. source)
end

-- A script that has said "ready" and then runs.
local function started(source)
    local child = helper.start(prelude .. source)
    assert.equal("ready", child:line())
    return child
end

local function ended(child)
    local result = helper.finish_script(child)
    assert.is_false(result.timeout)
    return result
end

local function dumps(text)
    return select(2, text:gsub("asked by SIGQUIT", ""))
end

describe("SIGQUIT", function()
    it("writes the tasks and the main figures, each time", function()
        local result = script [[
            local function main()
                quoll.spawn(quoll.sleep, 60):name "sleeper"
                for _ = 1, 2 do
                    quit()
                    quoll.sleep(0.001)
                end
                print "goes on"
                error("enough", 0)
            end
            print(pcall(quoll.run, main))
        ]]
        assert.equal("goes on\nfalse\tenough\n", result.out)
        assert.equal(0, result.code)
        assert.equal(2, dumps(result.err))
        assert.matches("\nmain chunk %[1 child, for [^]]+%] [%d.]+ m?s old, "
            .. "ran [%d.]+ m?s:\n\t%[C%]: in function 'task_room'\n",
            result.err)
        assert.matches("\ntask 2 'sleeper' %[sleep, for [^]]+ left%] of "
            .. "[^\n]+ old, ran [%d.]+ m?s:\n\t%[C%]"
            .. ": in function 'sleep'\n", result.err)
        assert.matches("\n\tspawned at [^\n]+:%d+\n", result.err)
        assert.matches("\ntasks: 2 spawned, 2 live, 0 failed\n", result.err)
    end)

    it("comes with another signal, and both are served", function()
        local child = started [[
            quoll.run(function()
                print "ready"
                io.read()
                print(quoll.iscancelled(select(2, pcall(quoll.sleep, 60))))
            end)
        ]]
        child:kill(SIGQUIT)
        child:kill(SIGINT)
        child:write "\n"
        local result = ended(child)
        assert.equal("SIGINT\n", result.out)
        assert.equal(1, dumps(result.err))
        assert.equal(0, result.code)
    end)

    it("ends a script that never comes back to the loop, the second time",
        function()
            local child = started [[
                quoll.run(function()
                    quit()
                    print "ready"
                    while true do end
                end)
            ]]
            child:kill(SIGQUIT)
            assert.equal(SIGQUIT, ended(child).signal)
        end)

    it("does what it did before, once run has ended", function()
        local child = started [[
            quoll.run(function()
                quit()
                quoll.sleep(0.001)
            end)
            print "ready"
            io.read()
        ]]
        child:kill(SIGQUIT)
        local result = ended(child)
        assert.equal(SIGQUIT, result.signal)
        assert.equal(1, dumps(result.err))
    end)

    it("stays ignored where it was", function()
        local result = script [[
            ffi.cdef "void *signal(int signo, void *handler);"
            ffi.C.signal(3, ffi.cast("void *", 1))
            quoll.run(function()
                quit()
                quoll.sleep(0.001)
            end)
        ]]
        assert.same({ "", 0 }, { result.err, result.code })
    end)

    it("is at its default in children", function()
        local result = script [[
            quoll.run(function()
                local pipe = io.popen
                    "grep -E '^Sig(Blk|Ign)' /proc/self/status"
                for line in pipe:lines() do
                    local mask = tonumber(line:sub(-8), 16)
                    print(bit.band(mask, 4))
                end
                pipe:close()
            end)
        ]]
        assert.same({ "0\n0\n", "" }, { result.out, result.err })
    end)

    it("says why when there is no dump", function()
        local result = script [[
            require("quoll.dump").text = function() error("no ink", 0) end
            quoll.run(function()
                quit()
                quoll.sleep(0.001)
            end)
        ]]
        assert.matches("SIGQUIT: no dump: no ink\n$", result.err)
        assert.equal(0, result.code)
    end)
end)
