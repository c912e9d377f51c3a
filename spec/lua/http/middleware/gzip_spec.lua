local helper = require "spec.helper"
local http = require("quoll").http
local pair = require "spec.support.pair"
local request = require "spec.support.request"
local zlib = require "zlib"

local BODY = ("text "):rep(300)

local function get(result, accepts, opts)
    local handler = http.gzip(opts)(function() return unpack(result, 1, 3) end)
    local sent = accepts ~= "" and { ["accept-encoding"] = accepts or "gzip" }
    return handler(request { sent = sent or {} })
end

local function plain(...)
    local _, body, headers = get(...)
    return type(body) == "string" and headers["content-encoding"] == nil
end

describe("quoll.http.gzip", function()
    helper.gates()

    it("compresses", function()
        local status, body, headers = get { 200, { BODY, "x" }, {
            ["Content-Type"] = "text/html", ETag = '"v1"', Vary = "Origin",
            ["Content-Length"] = 1501, ["Accept-Ranges"] = "bytes" } }
        assert.equal(200, status)
        assert.equal(BODY .. "x", (zlib.inflate()(body)))
        assert.is_true(#body < 200)
        assert.same({ ["content-type"] = "text/html", etag = 'W/"v1"',
            vary = "Origin, Accept-Encoding", ["content-encoding"] = "gzip" },
            headers)
        body = select(2, get { BODY })
        assert.equal(BODY, (zlib.inflate()(body)))
    end)

    it("does what the client wants", function()
        for accepts, compressed in pairs { ["gzip"] = true, ["*"] = true,
            ["br, gzip;q=0.5"] = true, ["gzip;q=0"] = false, [""] = false,
            ["br"] = false, ["gzip;q=0.5, identity;q=1"] = false,
            ["*;q=0"] = false } do
            local _, _, headers = get({ BODY }, accepts)
            assert.equal(compressed, headers["content-encoding"] == "gzip",
                accepts)
            assert.equal("Accept-Encoding", headers.vary)
        end
    end)

    it("leaves alone what is small, of another type, or a range", function()
        assert.is_true(plain { "small" })
        for _, headers in ipairs { { ["Content-Type"] = "image/png" },
            { ["Content-Encoding"] = "br" }, { ["Content-Range"] = "x" },
            { ["Cache-Control"] = "public, no-transform" } } do
            local _, body = get { 200, BODY, headers }
            assert.equal(BODY, body)
        end
        assert.is_true(plain { 206, BODY })
        assert.is_false(plain({ "small" }, nil, { min = 1 }))
        assert.is_false(plain({ 200, BODY, { ["Content-Type"] = "A/B; c=d" } },
            nil, { types = { "a/b" } }))
        assert.is_true(plain({ 200, BODY, {} }, nil, { types = { "a/b" } }))
        assert.is_nil((get {}))
        assert.is_nil(select(2, get { 204 }))
    end)

    it("compresses streams", function()
        local n = 0
        local _, body, headers = get { 200, function()
            n = n + 1
            return n <= 3 and "data " .. n or nil
        end, { ["Content-Type"] = "text/event-stream" } }
        assert.equal("gzip", headers["content-encoding"])
        local reader = zlib.inflate()
        assert.equal("data 1", (reader(body())))
        assert.equal("data 2", (reader(body())))
    end)

    it("refuses bad options, and says which package it needs", function()
        pair.raises(function() http.gzip { level = 10 } end,
            "gzip_spec.lua:%d+: bad argument 'level' to 'gzip'")
        local result = helper.script [[
            package.preload.zlib = function() error "none" end
            print(pcall(require "quoll".http.gzip))
        ]]
        assert.matches("needs lua%-zlib %(apt install lua%-zlib%)",
            result.out)
    end)
end)
