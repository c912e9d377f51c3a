local helper = require "spec.helper"
local ffi = helper.ffi
local lib = ffi.load(helper.build .. "/lib/libquoll-frame.so")

local function sha1(text)
    local to = ffi.new("uint8_t[20]")
    lib.ql_sha1(text, #text, to)
    return (ffi.string(to, 20):gsub(".", function(c)
        return ("%02x"):format(c:byte())
    end))
end

describe("runtime/websocket/sha1", function()
    it("agrees with FIPS 180", function()
        assert.equal("da39a3ee5e6b4b0d3255bfef95601890afd80709", sha1 "")
        assert.equal("a9993e364706816aba3e25717850c26c9cd0d89d", sha1 "abc")
        assert.equal("84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            sha1 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        assert.equal("34aa973cd4c4daa4f61eeb2bdbad27316534016f",
            sha1(("a"):rep(1000000)))
    end)

    it("agrees with sha1sum at every size of a last block", function()
        local ours = {}
        for n = 50, 130 do
            ours[#ours + 1] = sha1(("x"):rep(n))
        end
        local pipe = io.popen([[for n in $(seq 50 130); do head -c $n ]]
            .. [[/dev/zero | tr '\0' x | sha1sum; done]])
        for i = 1, #ours do
            assert.equal(ours[i], pipe:read("*l"):sub(1, 40))
        end
        pipe:close()
    end)
end)
