local http2 = require "spec.support.http2"
local pair = require "spec.support.http2_session"
local quoll = require "quoll"
local raw = require "quoll.http.http2.core"

local function raises(pattern, fn, ...)
    local ok, err = pcall(fn, ...)
    assert.falsy(ok)
    assert.matches(pattern, err)
end

describe("bindings/http2/session", function()
    pair.gates()

    it("says what it allows", pair.with({ streams = 7 }, function(p)
        local settings = p.first[1]
        assert.equal(http2.SETTINGS, settings.kind)
        assert.truthy(settings.payload:find(http2.number(3, 2)
            .. http2.number(7, 4), 1, true))
        assert.truthy(settings.payload:find(http2.number(6, 2)
            .. http2.number(32768, 4), 1, true))
        assert.equal(1, #http2.only(http2.WINDOW_UPDATE, p.first))
    end))

    it("tells of a request once", pair.with({}, function(p)
        assert.is_nil(raw.next(p.session))
        p.say(http2.get(1, "/a"))
        assert.same({ 1, true, true, false, false, false },
            { raw.next(p.session) })
        assert.is_nil(raw.next(p.session))
        assert.same({ ":method", "GET", ":scheme", "http", ":authority",
            "Local.Host:80", ":path", "/a" }, raw.head(p.session, 1))
        assert.same({}, raw.head(p.session, 1))
        assert.is_nil(raw.head(p.session, 3))
    end))

    it("takes bytes however they are cut", pair.with({}, function(p)
        local bytes = http2.post(1, "/a")
            .. http2.frame(http2.DATA, http2.END_STREAM, 1, "body")
        for i = 1, #bytes do
            p.say(bytes:sub(i, i))
        end
        assert.same({ 1, true, true, false, false, false },
            { raw.next(p.session) })
        assert.equal("body", raw.read(p.session, 1, 100))
        assert.is_nil(raw.read(p.session, 1, 100))
    end))

    it("refuses what is no preface", function()
        quoll.run(function()
            local session = raw.new(1, 100, 10)
            local ok, why = raw.feed(session, "GET / HTTP/1.1\r\n\r\n")
            assert.is_nil(ok)
            assert.matches("magic", why)
            assert.is_nil(raw.feed(session, http2.PREFACE))
            assert.same({ false, true }, { raw.wants(session) })
        end)
    end)

    it("refuses streams above the limit", pair.with({ streams = 2 },
        function(p)
            p.say(http2.frame(http2.SETTINGS, 1, 0, ""))
            local sent = p.say(http2.get(1, "/"), http2.get(3, "/"),
                http2.get(5, "/"))
            assert.truthy(#http2.only(http2.RST_STREAM, sent) == 1
                or #http2.only(http2.GOAWAY, sent) == 1)
            assert.equal(1, (raw.next(p.session)))
            assert.equal(3, (raw.next(p.session)))
            assert.is_nil(raw.next(p.session))
        end))

    it("takes no new streams after leave", pair.with({}, function(p)
        p.say(http2.get(1, "/"))
        assert.equal(1, (raw.next(p.session)))
        raw.leave(p.session)
        local sent = p.hear()
        assert.equal(http2.GOAWAY, sent[1].kind)
        assert.equal(0, sent[1].code)
        p.say(http2.get(3, "/"))
        assert.is_nil(raw.next(p.session))
        raw.respond(p.session, 1, { ":status", "204" }, false)
        sent = p.hear()
        assert.equal("204", sent[1].fields[":status"])
        assert.same({ false, false }, { raw.wants(p.session) })
    end))

    it("raises once it is closed", pair.with({}, function(p)
        p.say(http2.get(1, "/"))
        local close = getmetatable(p.session)
        assert.equal("http2 session", close)
        p.session:close()
        raises("the session is closed", raw.feed, p.session, "")
        raises("the session is closed", raw.next, p.session)
        raises("bad argument 'self' to 'output'", raw.output, 1, 1)
    end))
end)
