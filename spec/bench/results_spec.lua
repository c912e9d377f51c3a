-- What bench/run keeps of its runs.
local made_up = require "spec.bench.made_up"
local results = require "bench.lib.results"

describe("the results of the benchmarks", function()
    local path

    before_each(function()
        path = os.tmpname()
    end)

    after_each(function()
        os.remove(path)
    end)

    local function write(text)
        local file = assert(io.open(path, "w"))
        assert(file:write(text))
        file:close()
    end

    it("come back as they were", function()
        results.write(path, results.text(made_up))
        assert.same(made_up, (results.read(path)))
        assert.is_nil(io.open(path .. ".new"))
    end)

    it("may hold what is no number, lines and quotes", function()
        local odd = { a = { low = -math.huge, high = 0 / 0, [1] = true,
            what = 'a "b"\n\\c\0d' } }
        results.write(path, results.text(odd))
        local back = results.read(path)
        assert.truthy(back.a.high ~= back.a.high)
        back.a.high, odd.a.high = nil, nil
        assert.same(odd, back)
    end)

    it("are begun anew where there are none", function()
        os.remove(path)
        assert.same({}, (results.read(path)))
        assert.is_nil((select(2, results.read(path))))
        for _, text in ipairs { "", "return 1", "return {", "os.exit(3)" } do
            write(text)
            local kept, why = results.read(path)
            assert.same({}, kept)
            assert.equal(path .. " holds no results: begun anew", why)
        end
    end)

    it("of other suites are kept", function()
        local run = { commit = "new", rounds = 5, machine = "m" }
        local kept = results.merge({ a = { name = "a", commit = "old" },
            b = { name = "b", commit = "old" }, c = { name = "c" } }, {
            { name = "b", figures = {} },
            { name = "c", figures = {}, interrupted = true },
        }, run)
        assert.same({ a = { name = "a", commit = "old" }, c = { name = "c" },
            b = { name = "b", figures = {}, commit = "new", rounds = 5,
                machine = "m" } }, kept)
    end)
end)
