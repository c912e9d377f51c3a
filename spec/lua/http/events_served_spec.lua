-- Streams of events over a connection: what comes leaves at once, and who has
-- left is noticed.
local asking = require "spec.support.asking"
local helper = require "spec.helper"
local http = require("quoll").http
local quoll = require "quoll"

local begin, chunk, with = asking.begin, asking.chunk, asking.with

describe("events that are served", function()
    helper.gates()

    local more, left = nil, nil

    before_each(function()
        more = quoll.sync.channel(10)
        left = quoll.sync.event()
    end)

    it("leave one by one", with(function()
        return http.events(more, { retry = 1 })
    end, function(connect)
        local conn = connect()
        local res = begin(conn, "GET /")
        assert.equal(200, res.status)
        assert.equal("text/event-stream", res.headers["content-type"])
        assert.equal("retry: 1000\n\n", chunk(conn))
        for i = 1, 3 do
            more:send { id = i, data = "x" }
            assert.equal("id: " .. i .. "\ndata: x\n\n", chunk(conn))
        end
        more:close()
        assert.is_nil(chunk(conn))
    end))

    it("tell where the client was", with(function(req)
        return http.events(function()
            return more:receive() and req:header "last-event-id"
        end)
    end, function(connect)
        more:send(true)
        local conn = connect()
        begin(conn, "GET /", { ["Last-Event-ID"] = "7" })
        assert.equal("data: 7\n\n", chunk(conn))
    end))

    local function waiting()
        return http.events(function()
            quoll.defer(left.set, left)
            more:receive()
        end, { keepalive = 0.005 })
    end

    it("end when the client leaves", with(waiting, function(connect)
        local conn = connect()
        begin(conn, "GET /")
        assert.equal(":\n\n", chunk(conn))
        conn:close()
        assert(left:wait(5))
    end))

    it("end when the server is cancelled", with(waiting,
        function(connect, server)
            local conn = connect()
            begin(conn, "GET /")
            assert.equal(":\n\n", chunk(conn))
            server:cancel()
            assert(left:wait(5))
            repeat
                local data = conn:receive(1)
            until not data
        end))

    it("leave compressed", with(function(req)
        return http.gzip()(function() return http.events(more) end)(req)
    end, function(connect)
        local conn = connect()
        local res = begin(conn, "GET /", { ["Accept-Encoding"] = "gzip" })
        assert.equal("gzip", res.headers["content-encoding"])
        local reader = require("zlib").inflate()
        for i = 1, 3 do
            more:send(i)
            assert.equal("data: " .. i .. "\n\n", (reader(chunk(conn))))
        end
        more:close()
    end))
end)
