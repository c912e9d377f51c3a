local http = require("quoll").http
local pair = require "spec.support.pair"
local request = require "spec.support.request"

local A, B = "https://a.example", "https://b.example"

local function get(opts, origin)
    local _, _, headers = http.cors(opts)(function()
        return 200, "x", { Vary = "Accept" }
    end)(request { sent = { origin = origin } })
    return headers
end

local function preflight(opts, origin, asked)
    return http.cors(opts)(error)(request { method = "OPTIONS", sent = {
        origin = origin, ["access-control-request-method"] = "PUT",
        ["access-control-request-headers"] = asked } })
end

describe("quoll.http.cors", function()
    it("lets every origin in, without credentials", function()
        assert.same({ vary = "Accept", ["access-control-allow-origin"] = "*" },
            get(nil, A))
    end)

    it("lets named origins in", function()
        for _, origins in ipairs { A, { B, A }, function(o, req)
            return o == A and req.path == "/"
        end } do
            local opts = { origins = origins, credentials = true,
                expose = { "X-A", "X-B" } }
            assert.same({ vary = "Accept, Origin",
                ["access-control-allow-origin"] = A,
                ["access-control-allow-credentials"] = "true",
                ["access-control-expose-headers"] = "X-A, X-B" }, get(opts, A))
            assert.is_nil(get(opts, "null")["access-control-allow-origin"])
            assert.equal("Accept, Origin", get(opts).vary)
            assert.is_nil(get(opts)["access-control-allow-origin"])
        end
    end)

    it("answers preflights itself", function()
        local status, _, headers = preflight({ origins = A, max_age = 60 }, A,
            "X-Y")
        assert.equal(204, status)
        assert.same({ ["access-control-allow-origin"] = A,
            ["access-control-allow-methods"] =
                "GET, HEAD, POST, PUT, PATCH, DELETE",
            ["access-control-allow-headers"] = "X-Y",
            ["access-control-max-age"] = 60, vary = "Access-Control-Request-"
                .. "Method, Access-Control-Request-Headers, Origin" }, headers)
        _, _, headers = preflight({ origins = A, headers = { "Q" },
            methods = { "PUT" } }, A, "X-Y")
        assert.equal("Q", headers["access-control-allow-headers"])
        assert.equal("PUT", headers["access-control-allow-methods"])
        _, _, headers = preflight({ origins = A }, B)
        assert.is_nil(headers["access-control-allow-origin"])
        assert.is_nil(headers["access-control-allow-methods"])
    end)

    it("hands other OPTIONS on, and a taken connection", function()
        local status = http.cors()(function() return 200, "own", {} end)(
            request { method = "OPTIONS", sent = { origin = A } })
        assert.equal(200, status)
        assert.is_nil((http.cors()(function() end)(request {})))
    end)

    it("refuses credentials for everybody", function()
        pair.raises(function() http.cors { credentials = true } end,
            "cors_spec.lua:%d+: bad argument 'credentials' to 'cors'")
        pair.raises(function() http.cors { origins = 1 } end, "'origins' to")
        pair.raises(function() http.cors { origin = A } end, "no option")
    end)
end)
