local http2 = require "spec.support.http2"
local pair = require "spec.support.http2_session"
local raw = require "quoll.http.http2.core"

local OK = { ":status", "200" }

local function bytes_of(list)
    local sum = 0
    for _, frame in ipairs(http2.only(http2.DATA, list)) do
        sum = sum + #frame.payload
    end
    return sum
end

describe("bindings/http2/answer", function()
    pair.gates()

    it("answers without a body", pair.with({}, function(p)
        p.say(http2.get(1, "/"))
        raw.next(p.session)
        assert.is_true(raw.respond(p.session, 1,
            { ":status", "204", "x-a", "b" }, false))
        local sent = p.hear()
        assert.equal(1, #sent)
        assert.same({ [":status"] = "204", ["x-a"] = "b" }, sent[1].fields)
        assert.is_true(sent[1].last)
        assert.same({ 1, false, true, true, true, false },
            { raw.next(p.session) })
    end))

    it("sends a body as it is written", pair.with({}, function(p)
        p.say(http2.get(1, "/"))
        raw.next(p.session)
        raw.inform(p.session, 1, { ":status", "103" })
        raw.respond(p.session, 1, OK, true)
        local sent = p.hear()
        assert.equal("103", sent[1].fields[":status"])
        assert.equal("200", sent[2].fields[":status"])
        assert.is_true(raw.write(p.session, 1, "abc"))
        assert.equal("abc", p.hear()[1].payload)
        raw.write(p.session, 1, "")
        raw.write(p.session, 1, "de")
        raw.finish(p.session, 1)
        sent = p.hear()
        assert.equal("de", sent[1].payload)
        assert.is_true(sent[#sent].last)
        assert.is_nil(raw.write(p.session, 1, "more"))
    end))

    it("sends no more than the windows allow", pair.with(
        { settings = http2.window(1000) }, function(p)
            p.say(http2.get(1, "/"))
            raw.next(p.session)
            raw.respond(p.session, 1, OK, true)
            assert.is_false(raw.write(p.session, 1, ("x"):rep(70000)))
            assert.equal(1000, bytes_of(p.hear()))
            assert.is_nil(raw.next(p.session))
            local sent = p.say(http2.frame(http2.WINDOW_UPDATE, 0, 1,
                http2.number(40000, 4)))
            assert.equal(40000, bytes_of(sent))
            assert.equal(1, (raw.next(p.session))) -- drained
            assert.is_true(raw.write(p.session, 1, ""))
            raw.finish(p.session, 1)
            sent = p.say(
                http2.frame(http2.WINDOW_UPDATE, 0, 1, http2.number(1e5, 4)),
                http2.frame(http2.WINDOW_UPDATE, 0, 0, http2.number(1e5, 4)))
            assert.equal(29000, bytes_of(sent))
            assert.is_true(sent[#sent].last)
        end))

    it("resets", pair.with({}, function(p)
        p.say(http2.get(1, "/"))
        raw.next(p.session)
        raw.respond(p.session, 1, OK, true)
        raw.reset(p.session, 1, 2)
        local sent = http2.only(http2.RST_STREAM, p.hear())
        assert.equal(2, sent[1].code)
        raw.reset(p.session, 3, 2)
        assert.same({}, p.hear())
    end))

    it("raises on bad fields", pair.with({}, function(p)
        p.say(http2.get(1, "/"))
        raw.next(p.session)
        for _, fields in ipairs { { "a", 1 }, { 1, "a" }, { "a", {} } } do
            assert.is_false((pcall(raw.respond, p.session, 1, fields)))
        end
    end))
end)
