local percent = require "quoll.http.syntax.percent"

describe("quoll.http.syntax.percent", function()
    it("decodes strictly", function()
        for text, expected in pairs { ["a"] = "a", ["%41%4a%4A"] = "AJJ",
            ["a+b"] = "a+b", ["%00"] = "\0", ["%25"] = "%", ["%2541"] = "%41",
        } do
            assert.equal(expected, percent.decode(text))
        end
        for _, bad in ipairs { "%", "%4", "a%zz", "%4g", "%41%", "%%41",
            "% 41" } do
            assert.is_nil(percent.decode(bad), bad)
        end
    end)

    it("decodes a query's text, whatever it is", function()
        for text, expected in pairs { ["a+b"] = "a b", ["%2B"] = "+",
            ["100%"] = "100%", ["%zz%41"] = "%zzA", ["%4"] = "%4" } do
            assert.equal(expected, percent.decode_query(text))
        end
    end)

    it("encodes what decodes to the same", function()
        local all = {}
        for code = 0, 255 do
            all[#all + 1] = string.char(code)
        end
        local text = table.concat(all)
        assert.equal(text, percent.decode(percent.encode(text)))
        assert.equal("a-b_c.d~%20%2F%25", percent.encode "a-b_c.d~ /%")
    end)
end)
