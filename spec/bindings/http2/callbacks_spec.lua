local http2 = require "spec.support.http2"
local pair = require "spec.support.http2_session"
local raw = require "quoll.http.http2.core"

local FLOOD = 3000

-- The session ends with this code, and reads no more.
local function calmed(p, sent, code)
    local last = http2.only(http2.GOAWAY, sent)
    assert.equal(1, #last)
    assert.equal(code or http2.ENHANCE_YOUR_CALM, last[1].code)
    assert.falsy((raw.wants(p.session)))
end

local function flood(p, make)
    local sent = {}
    for i = 1, FLOOD / 100 do
        local frames = {}
        for n = 1, 100 do
            frames[n] = make((i - 1) * 100 + n)
        end
        for _, frame in ipairs(p.say(table.concat(frames))) do
            sent[#sent + 1] = frame
        end
        if not p.ok or not raw.wants(p.session) then
            break
        end
    end
    return sent
end

describe("bindings/http2/callbacks", function()
    pair.gates()

    it("ends floods of PING", pair.with({}, function(p)
        calmed(p, flood(p, function()
            return http2.frame(http2.PING, 0, 0, "12345678")
        end))
    end))

    it("ends floods of SETTINGS", pair.with({}, function(p)
        calmed(p, flood(p, function()
            return http2.frame(http2.SETTINGS, 0, 0, "")
        end))
    end))

    it("ends floods of PRIORITY and of unknown frames", pair.with({},
        function(p)
            calmed(p, flood(p, function(n)
                return http2.frame(n % 2 == 0 and http2.PRIORITY or 2, 0, 1,
                    http2.number(0, 4) .. "\1")
            end))
        end))

    it("ends floods of WINDOW_UPDATE", pair.with({}, function(p)
        calmed(p, flood(p, function()
            return http2.frame(http2.WINDOW_UPDATE, 0, 0, http2.number(1, 4))
        end))
    end))

    -- Who tells nghttp2 to end the session while it is at a frame of DATA is
    -- ended by an assertion when one of a bad size follows.
    for name, frame in pairs {
        PING = http2.frame(http2.PING, 0, 0, "12345678"),
        SETTINGS = http2.frame(http2.SETTINGS, 0, 0, ""),
        PRIORITY = http2.frame(http2.PRIORITY, 0, 1,
            http2.number(0, 4) .. "\1"),
        DATA = http2.frame(http2.DATA, 0, 1, ""),
    } do
        it("ends a flood of " .. name .. " with a bad frame behind it",
            pair.with({}, function(p)
                p.say(http2.post(1, "/"))
                p.say(frame:rep(FLOOD)
                    .. http2.frame(http2.SETTINGS, 0, 0, "12345"))
                assert.falsy((raw.wants(p.session)))
            end))
    end

    it("ends floods of DATA without data", pair.with({}, function(p)
        p.say(http2.post(1, "/"))
        calmed(p, flood(p, function()
            return http2.frame(http2.DATA, 0, 1, "")
        end))
    end))

    it("ends rapid resets", pair.with({}, function(p)
        local sent = flood(p, function(n)
            return http2.get(n * 2 - 1, "/")
                .. http2.frame(http2.RST_STREAM, 0, n * 2 - 1,
                    http2.number(8, 4))
        end)
        assert.equal(1, #http2.only(http2.GOAWAY, sent))
        assert.falsy((raw.wants(p.session)))
        assert.is_nil(raw.next(p.session))
    end))

    it("ends a head that never does", pair.with({}, function(p)
        p.say(http2.frame(http2.HEADERS, 0, 1, http2.request("GET", "/")))
        local sent = flood(p, function()
            return http2.frame(http2.CONTINUATION, 0, 1, "")
        end)
        assert.truthy(not p.ok or #http2.only(http2.GOAWAY, sent) == 1)
        assert.is_nil(raw.next(p.session))
    end))

    it("tells of a reset", pair.with({}, function(p)
        p.say(http2.get(1, "/"))
        raw.next(p.session)
        p.say(http2.frame(http2.RST_STREAM, 0, 1, http2.number(8, 4)))
        assert.same({ 1, false, true, false, true, true },
            { raw.next(p.session) })
        assert.falsy(raw.respond(p.session, 1, { ":status", "200" }, false))
        raw.forget(p.session, 1)
    end))

    it("says nothing of a request that was reset at once", pair.with({},
        function(p)
            p.say(http2.get(1, "/"), http2.frame(http2.RST_STREAM, 0, 1,
                http2.number(8, 4)))
            assert.is_nil(raw.next(p.session))
        end))
end)
