local helper = require "spec.helper"
local cache = require "quoll.dns.cache"

describe("quoll.dns.cache", function()
    helper.gates()

    it("keeps what is used, and so many at most", function()
        local c = cache.new(3)
        for i = 1, 3 do
            c:put("k" .. i, { expires = 10, i })
        end
        assert.equal(1, c:get("k1", 0)[1])
        c:put("k4", { expires = 10, 4 })
        assert.is_nil(c:get("k2", 0))
        for _, key in ipairs { "k1", "k3", "k4" } do
            assert.is_table(c:get(key, 0))
        end
        assert.equal(3, c.count)
        assert.equal(1, c.evicted)
        assert.equal(4, c.hits)
        assert.equal(1, c.misses)
    end)

    it("gives nothing that has expired", function()
        local c = cache.new(3)
        c:put("k", { expires = 10 })
        assert.is_table(c:get("k", 9.9))
        assert.is_nil(c:get("k", 10))
        assert.equal(0, c.count)
    end)

    it("has one entry for a key", function()
        local c = cache.new(3)
        c:put("k", { expires = 10, 1 })
        c:put("k", { expires = 10, 2 })
        assert.equal(1, c.count)
        assert.equal(2, c:get("k", 0)[1])
        c:flush()
        assert.equal(0, c.count)
        assert.is_nil(c:get("k", 0))
    end)

    it("may keep nothing at all", function()
        local c = cache.new(0)
        c:put("k", { expires = 10 })
        assert.is_nil(c:get("k", 0))
        assert.equal(0, c.count)
    end)

    it("does what a list would do", function()
        local c, model = cache.new(5), {} -- model: the last used comes last
        local function take(key)
            for i, k in ipairs(model) do
                if k == key then
                    return table.remove(model, i)
                end
            end
        end
        for _ = 1, 2000 do
            local key = math.random(9)
            if math.random(2) == 1 then
                local known = take(key)
                assert.equal(known ~= nil, c:get(key, 0) ~= nil)
                model[#model + 1] = known
            else
                c:put(key, { expires = 1 })
                if not take(key) and #model == 5 then
                    table.remove(model, 1)
                end
                model[#model + 1] = key
            end
            assert.equal(#model, c.count)
        end
    end)
end)
