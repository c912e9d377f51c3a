local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local A = "http://www.a.example/x/y"

local function jar_with(lines, opts)
    local jar = quoll.http.jar(opts)
    for _, line in ipairs(lines) do
        assert(jar:set(A, line))
    end
    return jar
end

describe("quoll.http.client.jar", function()
    helper.gates()

    it("gives what goes with a request, longer paths first", function()
        local jar = jar_with { "a=1; path=/", "b=2", "c=3; path=/",
            "d=4; domain=a.example; path=/x" }
        assert.equal("b=2; d=4; a=1; c=3", jar:get(A))
        assert.equal("d=4", jar:get "http://a.example/x/")
        assert.is_nil(jar:get "http://b.example/")
    end)

    it("replaces and takes away", function()
        local jar = jar_with { "a=1", "b=2", "a=3" }
        assert.equal("a=3; b=2", jar:get(A))
        jar:set(A, "a=; max-age=0")
        assert.equal("b=2", jar:get(A))
        jar:set(A, "c=; max-age=0")
        assert.equal(1, #jar:cookies())
    end)

    it("forgets", function()
        local jar = jar_with { "a=1", "b=2; domain=a.example" }
        jar:clear "a.example"
        assert.equal("a=1", jar:get(A))
        jar:clear "nowhere.example"
        jar:clear()
        assert.same({}, jar:cookies())
        jar:set(A, "c=3")
        assert.equal("c=3", jar:get(A))
    end)

    it("is bounded", function()
        local jar = jar_with({}, { per_domain = 3, max = 5 })
        for i = 1, 9 do
            jar:set(A, i .. "=x; path=/")
        end
        assert.equal("7=x; 8=x; 9=x", jar:get(A))
        for i = 1, 99 do
            jar:set("http://" .. i .. ".example/", "a=b")
            assert.truthy(#jar:cookies() <= 5)
        end
        assert.is_nil(jar:get(A))
        assert.equal("a=b", jar:get "http://99.example/")
    end)

    it("says why it refuses", function()
        local jar = quoll.http.jar()
        assert.same({ nil, "for another host" },
            { jar:set(A, "a=b; domain=b.example") })
        pair.raises(function() jar:set("nowhere", "a=b") end,
            "init_spec.*bad argument 'url' to 'set' %(no http or https URL%)")
        pair.raises(function() quoll.http.jar { x = 1 } end,
            "bad argument 'options' to 'jar' %(no option 'x'")
    end)

    it("is saved and loaded", function()
        local path = os.tmpname()
        local jar = jar_with { "a=1", "b=2; max-age=100; httponly",
            "c=3; domain=a.example; path=/" }
        assert(jar:save(path))
        local other = quoll.http.jar()
        assert.equal(3, other:load(path))
        assert.equal(jar:get(A), other:get(A))
        assert.equal("c=3", other:get "http://a.example/")
        assert.equal(tonumber("600", 8),
            quoll.fs.stat(path).mode % tonumber("1000", 8))
        assert(quoll.fs.writefile(path, "nothing\n\0\n\tof\nuse\n"))
        assert.equal(0, other:load(path))
        os.remove(path)
        assert.equal("ENOENT", select(3, other:load(path)))
    end)
end)
