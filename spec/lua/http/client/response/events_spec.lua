local events = require "quoll.http.client.response.events"
local helper = require "spec.helper"
local pair = require "spec.support.pair"

-- The events of text that comes in pieces of n bytes.
local function read(text, n, max)
    local at, all = 1, {}
    for event in events.read(function()
        local piece = text:sub(at, at + n - 1)
        at = at + n
        return piece ~= "" and piece or nil
    end, max) do
        all[#all + 1] = event
    end
    return all
end

describe("quoll.http.client.response.events", function()
    helper.gates()

    it("reads what a page would, in pieces of any size", function()
        local text = "\239\187\191: hello\n\ndata: a\ndata:  b\ndata\n\n"
            .. "event: x\r\ndata:1\r\nid: 7\r\nretry: 1500\r\n\r\n"
            .. "data: c\rid\0: 8\rretry: x\r\rid: 9\nfoo: bar\n\n"
            .. "data:\n\nevent: y\n\nid: 1\0\ndata: d\n\ndata: lost"
        for n = 1, #text do
            assert.same({
                { event = "message", data = "a\n b\n" },
                { event = "x", data = "1", id = "7", retry = 1.5 },
                { event = "message", data = "c", id = "7" },
                { event = "message", data = "", id = "9" },
                { event = "message", data = "d", id = "9" },
            }, read(text, n), "pieces of " .. n)
        end
    end)

    it("is bounded", function()
        assert.equal(1, #read("data: " .. ("x"):rep(90) .. "\n\n", 7, 100))
        for _, text in ipairs { "data: " .. ("x"):rep(100),
            ("data: x\n"):rep(20), (": x"):rep(50) } do
            pair.raises(function() read(text .. "\n\n", 7, 100) end,
                "events_spec.*event too large")
        end
        assert.same({}, read((": keep\n\n"):rep(100), 7, 100))
    end)

    it("raises what the stream raises", function()
        assert.error_matches(function()
            for _ in events.read(function() error "closed" end) do end
        end, "closed")
    end)
end)
