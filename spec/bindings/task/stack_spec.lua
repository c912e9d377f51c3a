local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

-- The first lines of a failed task's traceback; source is of chunk "job".
local function traced(source)
    local text
    tasks.run(function()
        local task = quoll.spawn(assert(loadstring(source, "=job")))
        assert.is_false(pcall(task.wait, task))
        text = task:traceback()
    end)
    return text
end

-- What the VM itself raises, in the second line of a function.
local FAULTS = {
    "return function(t)\nreturn t.x.y\nend",
    "return function(t)\nt.x.y = 1\nend",
    "return function(t)\nreturn 1 + t\nend",
    "return function(t)\nlocal v = t .. 'x'\nreturn v\nend",
    "return function(t)\nlocal v = t()\nreturn v\nend",
    "return function(t)\nlocal v = #t.x\nreturn v\nend",
    "return function(t)\nreturn t < 1\nend",
    "return function(t)\nfor i = 1, t do i() end\nend",
}

describe("bindings/task/stack", function()
    helper.gates()

    it("has the line of what the VM raises in the innermost function",
        function()
            for _, source in ipairs(FAULTS) do
                local text = traced("local fault = (function()\n" .. source
                    .. "\nend)()\n\n\nlocal v = fault({})\nreturn v")
                assert.matches("^job:3: [^\n]+\nstack traceback:\n\tjob:3: in "
                    .. "function 'fault'\n\tjob:%d: in main chunk\n",
                    text)
            end
        end)

    it("has it in a main chunk, and in one with a strange name", function()
        assert.matches("\nstack traceback:\n\tjob:2: in ",
            traced "local t\nt.x = 1")
        tasks.run(function()
            local task = quoll.spawn(assert(loadstring "\nlocal t t.x = 1"))
            assert.is_false(pcall(task.wait, task))
            assert.matches('\n\t%[string "%.%.%."%]:2: in ', task:traceback())
        end)
    end)

    it("has it for who waits for the task, and for who asks later", function()
        local _, text = xpcall(quoll.run, quoll.traceback,
            assert(loadstring("local t\nt.x = 1", "=job")))
        assert.matches("\nstack traceback:\n\tjob:2: in .+\nraised again\n",
            text)
    end)

    it("has it in the log of a failure for which nobody waits", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.spawn(assert(loadstring("local t\nt.x = 1", "=job")))
            quoll.run()
        ]]
        assert.matches("failed: job:2: [^\n]+\n\tstack traceback:\n"
            .. "\tjob:2: in main chunk\n", result.err)
    end)

    it("has it of a function that raised for another one", function()
        assert.matches("\nstack traceback:\n\t%[C%]: in function 'error'\n"
            .. "\tjob:2: in ", traced "local t\nerror 'x'")
        -- Of another place than the function that it has ended.
        assert.matches("\nstack traceback:\n\t%[C%]: in function 'error'\n"
            .. "\tjob:1: in ", traced "error('job:9: x', 0)")
    end)
end)
