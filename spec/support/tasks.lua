-- tasks.lua: for specs of the Lua API in busted's own state.
local tasks = {}

-- Runs fn as a task that must end within `seconds` (5); its results.
function tasks.run(fn, seconds)
    local quoll = require "quoll"
    local limit = (seconds or 5)
        * tonumber(os.getenv("QUOLL_TEST_PATIENCE") or 1)
    return quoll.run(function()
        local task = quoll.spawn(fn)
        local late = quoll.timer.after(limit, function()
            task:cancel("no end after " .. limit .. " s")
        end)
        local function results(...)
            late:cancel()
            if (...) == nil and select(2, ...) == "cancelled" then
                error("the test's task was cancelled", 0)
            end
            return ...
        end
        task:wait(limit * 2)
        return results(task:wait(0))
    end)
end

-- Lets what was spawned before run, in the same turn of the loop: a read that
-- it began is under way, but not complete.
function tasks.settle()
    require("quoll").spawn(function() end):wait()
end

-- The items that a channel has now.
function tasks.drain(ch)
    local got = {}
    for v in function() return (ch:receive(0)) end do
        got[#got + 1] = v
    end
    return got
end

-- A file with this text; the caller removes it.
function tasks.file(text)
    local path = os.tmpname()
    local out = assert(io.open(path, "wb"))
    out:write(text)
    out:close()
    return path
end

return tasks
