-- What `make bench-check` says of ratios.
local expected = require "bench.lib.expected"

describe("the ratios that are expected", function()
    local list = {
        { "task", "spawn", 2, 0.5 },
        { "echo", "echo", 1, 0.1 },
        { "task", "bytes", 1000, 0.1 },
    }

    it("name each benchmark once", function()
        assert.same({ "task", "echo" }, expected.benchmarks(list))
    end)

    local function verdict(ratio, limit)
        local text, good = expected.compare({ list[1] }, { spawn = ratio },
            { spawn = limit })
        local most, words = text:match "at most ([%d.]+)  ([^\n]+)\n$"
        return most, words, good
    end

    it("have an allowance", function()
        local text, good = expected.compare(list,
            { spawn = 2.9, echo = 0.8, bytes = 1101 }, {})
        assert.is_false(good)
        assert.matches("spawn +2%.90  expected 2%.00, at most 3%.00  "
            .. "as expected\n", text)
        assert.matches("echo +0%.80  expected 1%.00, at most 1%.10  better\n",
            text)
        assert.matches("bytes .-at most 1100%.00  REGRESSED\n", text)
        assert.matches("NOT MEASURED\n", (expected.compare(list, {}, {})))
    end)

    it("never go beyond the benchmark's own limit", function()
        assert.same({ "2.50", "as expected", true }, { verdict(2.5, 2.5) })
        assert.same({ "2.50", "REGRESSED", false }, { verdict(2.6, 2.5) })
        assert.same({ "3.00", "as expected", true }, { verdict(2.6, 4) })
    end)
end)
