local http = require("quoll").http
local request = require "spec.support.request"

local router = http.router()
local function ok(req) return "ok " .. req.path end
router:get("/a", ok):post("/a", ok):get("/b/", ok):put("/a/:id", ok)
    :get("/f/*rest", ok)

local function status(target, method)
    local code, body, headers = router(request { target = target,
        method = method })
    return code, headers and (headers.location or headers.allow), body
end

describe("quoll.http.router.missing", function()
    it("is 405 with Allow, or OPTIONS's answer", function()
        local code, allow = status("/a", "DELETE")
        assert.equal(405, code)
        assert.equal("GET, HEAD, OPTIONS, POST", allow)
        assert.same({ 204, "GET, HEAD, OPTIONS, POST" },
            { status("/a", "OPTIONS") })
        assert.same({ 204, "OPTIONS, PUT" }, { status("/a/1", "OPTIONS") })
        assert.equal(404, (status("/none", "OPTIONS")))
    end)

    it("redirects to the path with or without a slash", function()
        assert.same({ 308, "/a", "" }, { status "/a/" })
        assert.same({ 308, "/b/?q=1", "" }, { status "/b?q=1" })
        assert.same({ 308, "/f/", "" }, { status "/f" })
        assert.same({ 308, "/a", "" }, { status("/a/", "POST") })
        assert.equal(404, (status "/c/"))
        assert.equal(404, (status "/"))
    end)

    it("redirects to no other host", function()
        local open = http.router():get("/*rest", ok)
        local evil = http.router():get("/:a/:b/", ok):get("//:c/", ok)
        for _, target in ipairs { "//evil.example", "/\\evil.example" } do
            for _, each in ipairs { open, evil } do
                local code, _, headers = each(request { target = target })
                assert.is_nil(headers and headers.location, code)
            end
        end
    end)

    it("is 404 for what is no path", function()
        assert.equal(404, (status "*"))
    end)

    it("says what there is at all to OPTIONS of *", function()
        assert.same({ 204, "GET, HEAD, OPTIONS, POST, PUT" },
            { status("*", "OPTIONS") })
        local none = http.router()
        local code, _, headers = none(request { target = "*",
            method = "OPTIONS" })
        assert.same({ 204, "OPTIONS" }, { code, headers.allow })
    end)
end)
