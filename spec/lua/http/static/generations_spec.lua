local generations = require "quoll.http.static.generations"

describe("quoll.http.static.generations", function()
    local function kept(cache)
        local count, weight, seen = 0, 0, {}
        for _, half in ipairs { cache.young, cache.old } do
            for key, value in pairs(half) do
                assert.is_nil(seen[key])
                seen[key] = true
                count, weight = count + 1, weight + value.weight
            end
        end
        return count, weight
    end

    it("keeps, and forgets", function()
        local cache = generations.new(10, 100)
        local value = { weight = 1 }
        cache:put("a", value)
        assert.equal(value, cache:get "a")
        assert.is_nil(cache:get "b")
        cache:drop "a"
        cache:drop "b"
        assert.is_nil(cache:get "a")
        assert.same({ 0, 0 }, { cache.count, cache.heavy })
    end)

    it("keeps what is used", function()
        local cache = generations.new(10, 1000)
        cache:put("used", { weight = 1 })
        for i = 1, 1000 do
            cache:put("once" .. i, { weight = 1 })
            assert.truthy(cache:get "used")
        end
        assert.is_nil(cache:get "once1")
    end)

    it("forgets what was not used between two turns", function()
        local cache = generations.new(10, 1000)
        cache:put("used", { weight = 1 })
        cache:put("unused", { weight = 1 })
        cache:turn()
        assert.truthy(cache:get "used")
        cache:turn()
        assert.truthy(cache:get "used")
        assert.is_nil(cache:get "unused")
    end)

    it("stays within its limits, and tells what it forgets", function()
        math.randomseed(7)
        local alive = 0
        local cache = generations.new(20, 100, function(value)
            assert.truthy(value.alive)
            value.alive, alive = false, alive - 1
        end)
        for _ = 1, 5000 do
            local key = "k" .. math.random(40)
            if math.random() < 0.5 then
                cache:put(key, { weight = math.random(0, 50), alive = true })
                alive = alive + 1
            elseif math.random() < 0.9 then
                cache:get(key)
            else
                cache:drop(key)
            end
            local count, weight = kept(cache)
            assert.equal(alive, count)
            assert.truthy(count <= 20 and weight <= 100)
            assert.truthy(cache.count >= 0 and cache.heavy >= 0)
        end
    end)
end)
