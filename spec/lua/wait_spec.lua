local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local core = require "quoll.core"
local finish = require("quoll.wait").finish

describe("finish", function()
    helper.gates()

    it("passes results on when there was nothing to wait for", function()
        assert.equal(0, select("#", (function() return finish() end)()) - 1)
        assert.same({ 3, 1, nil, false },
            { select("#", finish(1, nil, false)), finish(1, nil, false) })
        assert.is_nil((finish(nil, "err", "CODE")))
        assert.same({ nil, "err", "CODE" }, { finish(nil, "err", "CODE") })
    end)

    it("takes the results of a wait", function()
        tasks.run(function()
            local task = core.spawn(function()
                finish(core.sleep(0.001))
                return 1, nil, 3
            end)
            assert.same({ 1, nil, 3 }, { finish(core.task_wait(task)) })
        end)
    end)
end)
