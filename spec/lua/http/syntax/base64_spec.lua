local base64 = require "quoll.http.syntax.base64"

local decode = base64.decode

describe("quoll.http.syntax.base64", function()
    it("encodes and decodes", function()
        for text, expected in pairs { [""] = "", ["Zg=="] = "f",
            ["Zm8="] = "fo", ["Zm9v"] = "foo", ["Zm9vYmFy"] = "foobar",
            ["//79"] = "\255\254\253" } do
            assert.equal(expected, decode(text))
            assert.equal(text, base64.encode(expected))
        end
    end)

    it("refuses what is not base64", function()
        for _, bad in ipairs { "Z", "Zg", "Zg=", "Z===", "Zm9*", "Zm=v",
            "Zm9v\n" } do
            assert.is_nil(decode(bad), bad)
        end
    end)
end)
