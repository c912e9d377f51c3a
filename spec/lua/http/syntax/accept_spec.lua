local accept = require "quoll.http.syntax.accept"

describe("quoll.http.syntax.accept", function()
    local both = { "br", "gzip" }

    it("reads weights", function()
        assert.same({ gzip = 1, br = 0.5, ["*"] = 0 },
            accept.encodings "GZIP, br;q=0.5 ,*;q=0")
        assert.same({ gzip = 1, deflate = 0.123 },
            accept.encodings "x-gzip ; Q=1.000,deflate;q=0.123,")
        assert.same({}, accept.encodings "")
    end)

    it("passes over what is none", function()
        for _, header in ipairs { "gzip;q=2", "gzip;q=0.1234", "gzip;q=-1",
            "gzip;q=", "gzip;level=9", "gz ip", ";q=1", ",,", "gzip;q=1.5",
            "\"gzip\"", "gzip;q=nan", "gzip;q=0x1", "gzip;q=1e0" }
        do
            assert.same({}, accept.encodings(header), header)
        end
    end)

    local function chooses(expected, header, codings)
        assert.equal(expected, accept.choose(header, codings or both), header)
    end

    it("chooses the first of those wanted most", function()
        chooses("br", "gzip, br")
        chooses("gzip", "gzip")
        chooses("gzip", "gzip;q=1.0, br;q=0.9")
        chooses("br", "*")
        chooses("gzip", "br;q=0, *")
        chooses("gzip", "zstd, gzip;q=0.001")
        chooses("br", "gzip, deflate, br, zstd")
    end)

    it("gives the plain form to who wants nothing else", function()
        assert.equal("identity", accept.choose(nil, both))
        chooses("identity", "")
        chooses("identity", "zstd")
        chooses("identity", "gzip;q=0")
        chooses("identity", "gzip;q=0.5, identity")
        chooses("br", "identity, br")
        chooses("identity", "br, gzip", {})
        chooses("identity", "identity;q=0.1, *;q=0")
    end)

    it("says when nothing is acceptable", function()
        assert.is_nil(accept.choose("identity;q=0", both))
        assert.is_nil(accept.choose("*;q=0", both))
        assert.is_nil(accept.choose("zstd, *;q=0", both))
        chooses("gzip", "identity;q=0, gzip")
    end)

    it("takes the lines of a request together", function()
        local function chosen(...)
            local lines = { ... }
            local req = { header_values = function(_, name)
                assert.equal("accept-encoding", name)
                return lines
            end }
            return accept.choose_for(req, both)
        end
        assert.equal("identity", chosen())
        assert.equal("identity", chosen "")
        assert.equal("br", chosen("gzip;q=0.5", "br"))
        assert.equal("gzip", chosen("gzip", "br;q=0"))
    end)

    it("keeps few of the headers it has read", function()
        for i = 1, 1000 do
            chooses("gzip", "gzip, x" .. i)
        end
        chooses("br", "gzip, br")
    end)
end)
