local helper = require "spec.helper"

describe("quoll.locals", function()
    it("tells a request's log lines apart in whatever they call", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local function log(...)
                print(quoll.locals.request, ...)
            end
            local function work(steps)
                for i = 1, steps do
                    quoll.spawn(function()
                        quoll.sleep(0)
                        log("step", i)
                    end):wait()
                end
            end
            quoll.run(function()
                for request = 1, 2 do
                    quoll.locals.request = request
                    quoll.spawn(work, 2)
                end
            end)
            print(quoll.locals.request)
        ]]
        assert.equal("1\tstep\t1\n2\tstep\t1\n1\tstep\t2\n2\tstep\t2\nnil\n",
            result.out, result.err)
    end)

    it("is the table that core has", function()
        assert.equal(require("quoll.core").locals, require "quoll.task.locals")
        assert.equal(require("quoll").locals, require "quoll.task.locals")
    end)
end)
