-- Headers of the PROXY protocol that somebody has tampered with: read or
-- refused, never an error; and what is read is what was written.
-- QUOLL_TEST_SEED=n makes other ones.
local header = require "quoll.net.proxy.header"
local ip = require "quoll.net.ip"
local numbers = require "spec.support.random"

local SEED = tonumber(os.getenv "QUOLL_TEST_SEED") or 20221122
local ROUNDS = 3000

local random = numbers.new(SEED)

local function random_bytes(n)
    return numbers.bytes(random, n)
end

local function random_info()
    local size = random(2) == 0 and 4 or 16
    return {
        source = ip.format(random_bytes(size)), sourceport = random(65536),
        destination = ip.format(random_bytes(size)),
        destinationport = random(65536),
        alpn = random(2) == 0 and random_bytes(random(9)) or nil,
        tlvs = { [32] = random(4) == 0 and random_bytes(random(20)) or nil,
            [224] = random_bytes(random(40)) },
    }
end

local changes = {
    function(bytes) return bytes end,
    function(bytes) return bytes:sub(1, random(#bytes)) end,
    function(bytes) return bytes .. random_bytes(1 + random(8)) end,
    function(bytes)
        local at = 1 + random(#bytes)
        return bytes:sub(1, at - 1) .. random_bytes(1) .. bytes:sub(at + 1)
    end,
    function(bytes)
        local at = 1 + random(#bytes)
        return bytes:sub(1, at) .. random_bytes(random(4)) .. bytes:sub(at + 1)
    end,
}

local function tampered(bytes)
    for _ = 1, random(4) do
        bytes = changes[1 + random(#changes)](bytes)
        if bytes == "" then
            return bytes
        end
    end
    return bytes
end

local function check(parse, bytes)
    local ok, info, why = pcall(parse, bytes)
    local text = ("seed %d: %q: %s"):format(SEED, bytes, tostring(info))
    assert(ok, text)
    assert(type(info) == "table" or info == nil and type(why) == "string", text)
    if info and info.source and info.family ~= "unix" then
        assert(ip.parse(info.source) and ip.parse(info.destination), text)
        assert(info.sourceport >= 0 and info.sourceport <= 65535, text)
    end
end

describe("headers of the PROXY protocol", function()
    it("are read as they were written", function()
        for _ = 1, ROUNDS / 10 do
            local given = random_info()
            given.tlvs[32] = nil
            for version = 1, 2 do
                local bytes = header["v" .. version](given)
                local info = version == 1 and header.parse_v1(bytes:sub(1, -3))
                    or header.parse_v2(bytes)
                for _, name in ipairs { "source", "sourceport", "destination",
                    "destinationport" } do
                    assert.equal(given[name], info and info[name],
                        "seed " .. SEED)
                end
            end
        end
    end)

    it("that are wrong are refused", function()
        for _ = 1, ROUNDS do
            local given = random_info()
            check(header.parse_v1, tampered(header.v1(given)))
            local bytes = tampered(header.v2(given))
            if #bytes >= header.V2_FIXED then
                local size, why = header.parse_v2_start(bytes)
                assert(size or why)
                if size then
                    check(header.parse_v2, bytes)
                end
            end
        end
    end)
end)
