local http2 = require "spec.support.http2"
local pair = require "spec.support.http2_session"
local raw = require "quoll.http.http2.core"

local WINDOW = 65536 -- of a stream, in the session's settings

local function increments(list)
    local sum = 0
    for _, frame in ipairs(http2.only(http2.WINDOW_UPDATE, list)) do
        if frame.id == 1 then
            local a, b, c, d = frame.payload:byte(1, 4)
            sum = sum + ((a * 256 + b) * 256 + c) * 256 + d
        end
    end
    return sum
end

describe("bindings/http2/stream", function()
    pair.gates()

    it("gives no head above the limits", pair.with({ fields = 6, head = 300 },
        function(p)
            p.say(http2.get(1, "/", { "a", "b", "c", "d" }),
                http2.get(3, "/", { "a", "b", "c", "d", "e", "f" }),
                http2.get(5, "/", { "a", ("x"):rep(300) }))
            for _, id in ipairs { 1, 3, 5 } do
                assert.equal(id, (raw.next(p.session)))
            end
            assert.equal(12, #raw.head(p.session, 1))
            assert.is_nil(raw.head(p.session, 3))
            assert.is_nil(raw.head(p.session, 5))
            assert.truthy(raw.respond(p.session, 5, { ":status", "431" }))
        end))

    it("opens its window as the body is read", pair.with({}, function(p)
        local piece = ("x"):rep(16384)
        p.say(http2.frame(http2.SETTINGS, 1, 0, ""), http2.post(1, "/"))
        raw.next(p.session)
        assert.is_false(raw.read(p.session, 1, 10))
        local sent = p.say(http2.frame(http2.DATA, 0, 1, piece):rep(4))
        assert.equal(0, increments(sent))
        assert.equal(WINDOW, #raw.read(p.session, 1, 1e6))
        assert.equal(WINDOW, increments(p.hear()))
        sent = p.say(http2.frame(http2.DATA, 0, 1, piece):rep(5))
        assert.equal(3, http2.only(http2.RST_STREAM, sent)[1]
            and http2.only(http2.RST_STREAM, sent)[1].code
            or http2.only(http2.GOAWAY, sent)[1].code) -- FLOW_CONTROL_ERROR
    end))

    it("keeps what came of a stream that has gone", pair.with({}, function(p)
        p.say(http2.post(1, "/"), http2.frame(http2.DATA, 0, 1, "abc"))
        raw.next(p.session)
        p.say(http2.frame(http2.RST_STREAM, 0, 1, http2.number(8, 4)))
        assert.equal("ab", raw.read(p.session, 1, 2))
        assert.equal("c", raw.read(p.session, 1, 2))
        assert.is_nil(raw.read(p.session, 1, 2))
        raw.forget(p.session, 1)
        assert.is_nil(raw.next(p.session))
        raw.forget(p.session, 1)
    end))

    it("keeps trailers apart from the head", pair.with({}, function(p)
        p.say(http2.post(1, "/"), http2.frame(http2.DATA, 0, 1, "abc"),
            http2.frame(http2.HEADERS,
                http2.END_STREAM + http2.END_HEADERS, 1,
                http2.block { "x-sum", "3" }))
        assert.same({ 1, true, true, false, false, false },
            { raw.next(p.session) })
        assert.equal(8, #raw.head(p.session, 1))
        assert.same({ "x-sum", "3" }, raw.trailers(p.session, 1))
    end))
end)
