local deflate = require "quoll.http.websocket.deflate"
local extension = require "quoll.http.websocket.extension"
local helper = require "spec.helper"

local NAME = "permessage-deflate"
local set = deflate.check(true, "spec")
local kept = deflate.check({ context = true, threshold = 0 }, "spec")

describe("lua/quoll/http/websocket/extension", function()
    local function answer(header, of)
        return (extension.accept(header, of or kept))
    end

    it("is a server's: the first offer that it can keep", function()
        assert.equal(NAME, answer(NAME))
        assert.equal(NAME, answer(NAME .. "; client_max_window_bits"))
        assert.equal(NAME .. "; server_no_context_takeover",
            answer(NAME .. "; server_no_context_takeover"))
        assert.equal(NAME .. "; server_max_window_bits=10",
            answer("x-other, " .. NAME .. '; server_max_window_bits="10"'))
        assert.equal(NAME .. "; client_max_window_bits=9",
            answer(NAME .. "; client_max_window_bits=9"))
        assert.equal(NAME, answer(NAME .. "; server_max_window_bits=8, "
            .. NAME))
        assert.equal(NAME .. "; server_no_context_takeover"
            .. "; client_no_context_takeover", answer(NAME, set))
    end)

    it("is a server's: not with what it does not know", function()
        for _, header in ipairs { "x-webkit-deflate-frame", NAME .. "; foo",
            NAME .. "; server_max_window_bits=8",
            NAME .. "; server_max_window_bits",
            NAME .. "; server_max_window_bits=16",
            NAME .. "; server_max_window_bits=010",
            NAME .. "; client_max_window_bits=7",
            NAME .. "; server_no_context_takeover=1",
            NAME .. "; server_max_window_bits=9; server_max_window_bits=9",
            NAME .. ";", "=", "" }
        do
            assert.is_nil(answer(header), header)
        end
        assert.is_nil(extension.accept(nil, kept))
        assert.is_nil(extension.accept(NAME, nil))
    end)

    it("is a client's: what answers its offer", function()
        assert.equal(NAME .. "; client_max_window_bits", extension.offer(kept))
        local d = extension.agree(NAME .. "; client_max_window_bits=10", kept)
        assert.same({ 10, 15, false, false },
            { d.bits, d.peer_bits, d.reset, d.peer_reset })
        d = extension.agree(NAME .. "; server_no_context_takeover"
            .. "; client_no_context_takeover", set)
        assert.same({ true, true }, { d.reset, d.peer_reset })
        for _, header in ipairs { NAME, "x", NAME .. "; foo",
            NAME .. "; server_max_window_bits=17", NAME .. ", " .. NAME }
        do
            assert.is_nil(extension.agree(header, set), header)
        end
        assert.is_nil(extension.agree(NAME, nil))
    end)
end)

describe("lua/quoll/http/websocket/extension", function()
    it("takes no time for what is long", function()
        local before = helper.now()
        for _, header in ipairs { (" "):rep(32000), ("\t"):rep(32000) .. "x",
            NAME .. (" "):rep(32000) .. "y", (NAME .. ";"):rep(1700),
            (","):rep(32000), NAME .. "; a=" .. (" "):rep(32000) .. "=" }
        do
            assert.is_nil((extension.accept(header, kept)))
        end
        assert.truthy(helper.now() - before < helper.seconds(0.2))
    end)
end)
