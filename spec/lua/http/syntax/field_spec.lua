local field = require "quoll.http.syntax.field"

describe("lua/quoll/http/syntax/field", function()
    it("knows tokens", function()
        for _, text in ipairs { "GET", "x-a", "Sec-WebSocket-Key", "0",
            "!#$%&'*+-.^_`|~" }
        do
            assert.is_true(field.is_token(text), text)
        end
        for _, text in ipairs { "", "a b", "a:", "a\n", "\0", "(a)", "a/b",
            "\"a\"", "\195\164" }
        do
            assert.is_false(field.is_token(text), text)
        end
    end)

    it("knows values", function()
        for _, text in ipairs { "", "a b\tc", "\195\164", "\"a, b\"; q=1" } do
            assert.is_true(field.is_value(text), text)
        end
        for _, text in ipairs { "a\r\nb: c", "a\nb", "\0", "\127", "a\rb" } do
            assert.is_false(field.is_value(text), text)
        end
    end)

    it("finds a word in a list", function()
        for _, list in ipairs { "upgrade", "Upgrade", "keep-alive, Upgrade",
            " x ,UPGRADE , y" }
        do
            assert.is_true(field.has(list, "upgrade"), list)
            assert.is_true(field.has(list, "Upgrade"), list)
        end
        for _, list in ipairs { "", "upgraded", "up grade", "close" } do
            assert.is_false(field.has(list, "upgrade"), list)
        end
        assert.is_false(field.has(nil, "upgrade"))
    end)
end)
