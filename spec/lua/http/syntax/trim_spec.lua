local trim = require "quoll.http.syntax.trim"

describe("quoll.http.syntax.trim", function()
    it("takes away the blanks around a text", function()
        for _, text in ipairs { "", "a", "a b", "a \t b", "\0", "a\r\n" } do
            assert.equal(text, trim(text))
            assert.equal(text, trim(" \t" .. text .. "\t "))
        end
        assert.equal("", trim " \t \t")
    end)

    it("is quick, whatever the blanks", function()
        local blanks = (" "):rep(2 ^ 20)
        local start = os.clock()
        assert.equal("x" .. blanks .. "y", trim("x" .. blanks .. "y" .. blanks))
        assert.equal("", trim(blanks))
        assert.is_true(os.clock() - start < 2)
    end)
end)
