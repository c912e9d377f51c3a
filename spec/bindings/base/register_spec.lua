local core = require "quoll.core"

describe("ql_task_register", function()
    it("offers what lua/quoll is made of", function()
        for _, name in ipairs {
            "take", "spawn", "after", "sleep", "yield", "iscancelled",
            "task_wait", "task_room", "task_cancel", "task_own", "raise",
        } do
            assert.equal("function", type(core[name]), name)
        end
        assert.equal(debug.getregistry(), core.mark)
        assert.equal("table", type(core.task))
    end)
end)
