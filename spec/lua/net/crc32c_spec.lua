local crc32c = require "quoll.net.crc32c"

describe("quoll.net.crc32c", function()
    it("sums", function()
        assert.equal("\xe3\x06\x92\x83", crc32c.sum "123456789")
        assert.equal("\0\0\0\0", crc32c.sum "")
        assert.equal("\x8a\x91\x36\xaa", crc32c.sum(("\0"):rep(32)))
        assert.equal("\x62\xa8\xab\x43", crc32c.sum(("\255"):rep(32)))
    end)
end)
