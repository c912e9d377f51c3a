local parse = require("quoll.http.syntax.parameters").parse

describe("quoll.http.syntax.parameters", function()
    local good = {
        { "text/html", "text/html", {} },
        { "Text/HTML; Charset=UTF-8", "text/html", { charset = "UTF-8" } },
        { 'form-data; name="a b"; filename=""', "form-data",
            { name = "a b", filename = "" } },
        { [[a; b="q\"q\\ C:\dir"]], "a", { b = [[q"q\ C:\dir]] } },
        { [[a; b="\\"]], "a", { b = [[\]] } },
        { " a ;b=c ; d=e ", "a", { b = "c", d = "e" } },
        { "a;", "a", {} },
    }
    for _, case in ipairs(good) do
        it("takes " .. case[1], function()
            local value, found = parse(case[1])
            assert.equal(case[2], value)
            assert.same(case[3], found)
        end)
    end

    for _, bad in ipairs { "", ";", "a; b", 'a; b="c', "a; b=1; b=2", "a b",
        'a; b="c"d', "a; b=", [[a; b="\"]], "a; b=c d" } do
        it("refuses '" .. bad .. "'", function()
            assert.is_nil(parse(bad))
        end)
    end
end)
