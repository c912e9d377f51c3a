-- The rows of the benchmarks, and the table that is printed.
local figures = require "bench.lib.figures"
local report = require "bench.lib.report"

describe("the report of the benchmarks", function()
    local mine, suite

    before_each(function()
        mine = report.new()
        suite = mine:begin { name = "a", what = "w", peers = { "luv" } }
    end)

    it("has the medians and the spread of the rounds' ratios", function()
        local samples = figures.samples()
        samples:add { ours = 10, theirs = 10 }
        samples:add { ours = 30, theirs = 20 }
        samples:add { ours = 20, theirs = 5 }
        mine:compare(samples, "ours", "theirs", { what = "x", key = "k" })
        assert.same({ { what = "x", key = "k", measured = 20, against = 10,
            ratio = 1.5, low = 1, high = 4 } }, suite.figures)
        assert.same({ k = 1.5 }, mine.ratios)
    end)

    it("judges the ratio, else what was measured", function()
        for _, row in ipairs {
            { what = "", ratio = 1, measured = 9, most = 1, is = true },
            { what = "", ratio = 1.1, measured = 0, most = 1, is = false },
            { what = "", ratio = 1.1, measured = 0, least = 1, is = true },
            { what = "", ratio = 0.9, measured = 2, least = 1, is = false },
            { what = "", measured = 2, least = 1, is = true },
            { what = "", ratio = 0.9, measured = 2, most = 1, is = false,
                judged = "measured" },
            { what = "", ratio = 1 },
        } do
            mine:add(row)
            assert.equal(row.is, row.met)
        end
        assert.matches("3 of 6 targets met\n$", mine:text "how")
    end)

    it("keeps the limits of ratios", function()
        mine:add { what = "", key = "a", ratio = 1, measured = 9, most = 2 }
        mine:add { what = "", key = "b", measured = 5, most = 6 }
        mine:add { what = "", key = "c", ratio = 1, measured = 5, most = 6,
            judged = "measured" }
        mine:add { what = "", key = "d", ratio = 1, least = 1 }
        assert.same({ a = 2, b = 6 }, mine.limits)
    end)

    it("prints a line for each, and for each missing peer once", function()
        mine:add { what = "x", measured = 1234, against = 2, ratio = 0.5,
            most = 0.4 }
        mine:begin { name = "b", what = "w" }
        mine:skip("nginx", "not installed")
        mine:skip("nginx", "not installed")
        mine:add { what = "y", measured = 1 }
        local lines = {}
        for line in mine:text("how"):gmatch "[^\n]+" do
            lines[#lines + 1] = line:gsub(" +", " ")
        end
        assert.same({
            "how",
            "figure measured against ratio target",
            lines[3]:match "^%-+$",
            "x 1234 2.00 0.50 <= 0.4 MISSED",
            "y 1.00",
            "b: nginx: skipped, not installed",
            "0 of 1 targets met",
        }, lines)
    end)
end)
