local helper = require "spec.helper"
local names = require "quoll.dns.names"

describe("quoll.dns.names", function()
    helper.gates()

    it("takes names in any case, with a dot at the end or without", function()
        for text, expected in pairs {
            ["one"] = { "one", false }, ["One.TEST."] = { "one.test", true },
            ["_sip._tcp.one"] = { "_sip._tcp.one", false },
            ["0/25.2.0.192.in-addr.arpa"]
                = { "0/25.2.0.192.in-addr.arpa", false },
            ["xn--mnchen-3ya.de"] = { "xn--mnchen-3ya.de", false },
        } do
            assert.same(expected, { names.check(text) })
        end
        local long = ("a"):rep(63)
        assert.equal(long, (names.check(long)))
        local longest = ("a."):rep(126) .. "a"
        assert.equal(longest, (names.check(longest)))
    end)

    it("refuses others, and says why", function()
        for text, why in pairs {
            [""] = "empty", ["."] = "empty", [".one"] = "an empty label",
            ["one..two"] = "an empty label", ["one.."] = "an empty label",
            ["m\195\188nchen.de"] = "not ASCII", ["one two"] = "a character",
            ["one\0two"] = "a character", ["one\ntwo"] = "a character",
            ["one\\.two"] = "a character", ["a:1"] = "a character",
            [("a"):rep(64)] = "a label longer than 63 bytes",
            [("a."):rep(127) .. "a"] = "longer than 253 bytes",
        } do
            local name, err, code = names.check(text)
            assert.is_nil(name)
            assert.truthy(err:find(why, 1, true), err)
            assert.matches("^bad host name '[^%c]*': ", err)
            assert.equal("EINVAL", code)
        end
    end)

    it("completes names that have few dots", function()
        local conf = { search = { "a.test", "b.test" }, ndots = 1 }
        assert.same({ "one.a.test", "one.b.test", "one" },
            names.candidates("one", false, conf))
        assert.same({ "one.two", "one.two.a.test", "one.two.b.test" },
            names.candidates("one.two", false, conf))
        assert.same({ "one" }, names.candidates("one", true, conf))
        conf.ndots = 2
        assert.same({ "one.two.a.test", "one.two.b.test", "one.two" },
            names.candidates("one.two", false, conf))
        conf.ndots = 0
        assert.same({ "one", "one.a.test", "one.b.test" },
            names.candidates("one", false, conf))
        local long = ("a."):rep(124) .. "a"
        assert.same({ long }, names.candidates(long, false, conf))
        conf.search = { "." }
        assert.same({ "one", "one" }, names.candidates("one", false, conf))
    end)

    it("knows the names that nobody is asked for", function()
        for _, name in ipairs { "localhost", "a.localhost" } do
            assert.is_true(names.is_localhost(name))
        end
        for _, name in ipairs { "invalid", "a.invalid" } do
            assert.is_true(names.is_invalid(name))
        end
        for _, name in ipairs { "localhost.test", "mylocalhost", "one" } do
            assert.is_false(names.is_localhost(name))
            assert.is_false(names.is_invalid(name))
        end
    end)

    it("turns addresses around", function()
        assert.equal("4.3.2.1.in-addr.arpa",
            names.arpa("inet", "\1\2\3\4"))
        assert.equal("1." .. ("0."):rep(23) .. "8.b.d.0.1.0.0.2.ip6.arpa",
            names.arpa("inet6", "\32\1\13\184" .. ("\0"):rep(11) .. "\1"))
    end)
end)
