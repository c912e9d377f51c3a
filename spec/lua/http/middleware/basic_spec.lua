local base64 = require "quoll.http.syntax.base64"
local http = require("quoll").http
local pair = require "spec.support.pair"
local request = require "spec.support.request"

local function status(auth, users)
    users = users or { ann = "s:3", [""] = "" }
    local handler = http.basic_auth("site", users)(function(req)
        return 200, req.user, {}
    end)
    return handler(request { sent = { authorization = auth } })
end

local function given(name, password)
    return "Basic " .. base64.encode(name .. ":" .. password)
end

describe("quoll.http.basic_auth", function()
    it("lets in who has the password", function()
        assert.same({ 200, "ann", {} }, { status(given("ann", "s:3")) })
        assert.same({ 200, "", {} }, { status(given("", "")) })
        assert.equal(200, (status((given("ann", "s:3"):gsub("Basic",
            "bASIC ")))))
    end)

    it("asks everybody else", function()
        for _, auth in ipairs { "", "Basic", "Basic ?", given("ann", "s:"),
            given("ann", "s:3x"), given("ann", ""), given("bob", "s:3"),
            given("bob", "?"), given("ann", "s:3s:3"), "Basic YW5u",
            "Bearer YW5uOnM6Mw==", given("ann", "s:3\0") } do
            local code, _, headers = status(auth)
            assert.equal(401, code, auth)
            assert.equal('Basic realm="site", charset="UTF-8"',
                headers["www-authenticate"])
        end
        assert.equal(401, (status(nil)))
    end)

    it("asks a function", function()
        local function check(name, password, req)
            return name == "x" and password == "y" and req.path == "/"
        end
        assert.equal(200, (status(given("x", "y"), check)))
        assert.equal(401, (status(given("x", "z"), check)))
    end)

    it("refuses what cannot be", function()
        pair.raises(function() http.basic_auth('a"', {}) end, "'realm' to")
        pair.raises(function() http.basic_auth("a") end, "'users' to")
    end)
end)
