local http = require("quoll").http
local pair = require "spec.support.pair"
local request = require "spec.support.request"

local function call(router, target, method)
    return router(request { target = target, method = method })
end

local function params(req)
    local list = {}
    for name, value in pairs(req.params) do
        list[#list + 1] = name .. "=" .. value
    end
    table.sort(list)
    return table.concat(list, " ")
end

describe("quoll.http.router", function()
    it("chooses by method and path", function()
        local router = http.router()
        for _, verb in ipairs { "get", "post", "put", "patch", "delete",
            "options", "head" } do
            router[verb](router, "/" .. verb, function() return verb end)
            assert.equal(verb, call(router, "/" .. verb, verb:upper()))
        end
        router:any("/x", function() return "any" end)
        router:route("PURGE", "/x", function() return "purge" end)
        router:get("/x", function() return "get" end)
        assert.equal("any", call(router, "/x", "POST"))
        assert.equal("purge", call(router, "/x", "PURGE"))
        assert.equal("get", call(router, "/x", "HEAD"))
        assert.equal(404, (call(router, "/y")))
    end)

    it("gives decoded params", function()
        local router = http.router():get("/u/:id/f/*path", params)
        assert.equal("id=a/b path=c d/%/", call(router,
            "/u/a%2Fb/f/c%20d/%25/"))
        assert.equal(400, (call(router, "/u/%zz/f/x")))
        assert.equal(400, (call(router, "/u/1/f/%")))
    end)

    it("mounts", function()
        local inner = http.router()
            :get("/", function(req) return req.base .. "|" .. req.path end)
            :get("/u/:id", function(req)
                return params(req) .. "|" .. req.base
            end)
        local outer = http.router():mount("/api/:v", inner)
            :mount("/s/", function(req) return req.path end)
        assert.equal("/api/1|/", call(outer, "/api/1"))
        assert.equal("id=2 v=1|/api/1", call(outer, "/api/1/u/2"))
        assert.equal("/", call(outer, "/s"))
        assert.equal("/a%20b", call(outer, "/s/a%20b"))
        local _, _, headers = call(outer, "/api/1/u/2/")
        assert.equal("/api/1/u/2", headers.location)
        local req = request { target = "/s/x" }
        outer(req)
        assert.same({ "/s/x", nil, {} }, { req.path, req.base, req.params })
        assert.equal("/x", call(http.router():mount("/", outer), "/s/x"))
    end)

    it("puts middleware around everything, and around a route", function()
        local function tag(name)
            return function(next)
                return function(req)
                    local status, body, headers = http.normal(next(req))
                    return status, name .. tostring(body), headers
                end
            end
        end
        local router = http.router():use(tag "a", tag "b")
            :get("/", tag "c", function() return "x" end)
        assert.same({ 200, "abcx" }, { (select(1, call(router, "/"))),
            (select(2, call(router, "/"))) })
        router:notfound(function() return 404, "none" end)
        assert.equal("abnone", (select(2, call(router, "/none"))))
    end)

    it("names both places of a conflict", function()
        local router = http.router():get("/a/:x", params)
        pair.raises(function() router:get("/a/:y", params) end,
            "route 'GET /a/:y' at .*init_spec.lua:%d+ conflicts with "
            .. "'GET /a/:x' at .*init_spec.lua:%d+")
        router:post("/a/:y", params):mount("/m", params)
        pair.raises(function() router:mount("/m/", params) end,
            "'%* /m/' at .*init_spec.lua:%d+ conflicts with '%* /m' at")
    end)

    it("refuses what is no route", function()
        local router = http.router()
        for _, bad in ipairs { function() router:get("x", params) end,
            function() router:get "/x" end,
            function() router:get("/x", {}) end,
            function() router:get("/x", params, params, nil) end,
            function() router:route("A B", "/x", params) end,
            function() router:mount("/*x", params) end,
            function() router:use(1) end } do
            pair.raises(bad, "init_spec.lua:%d+: bad argument")
        end
    end)
end)
