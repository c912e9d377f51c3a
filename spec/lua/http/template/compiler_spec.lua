local compile = require("quoll.http.template.compiler").compile

local function err_of(source)
    local made, err = compile(source, "t")
    assert.is_nil(made, source)
    return err
end

describe("quoll.http.template.compiler", function()
    it("names the line of what is wrong", function()
        for source, expected in pairs {
            ["a\n\n{{ x + }}"] = "^t:3: unexpected symbol",
            ["a\n{{ x) os.exit((1 }}"] = "^t:2: ",
            ["{% if x then %}\n\n{{ y }}"] = "^t:4: 'end' expected",
            ["{# a\n b #}\n{{ x"] = "^t:3: '{{' without '}}'",
            ["\n{*\nx"] = "^t:2: '{%*' without '%*}'",
            ["\n{% x"] = "^t:2: '{%%' without '%%}'",
            ["a\n{-x-}"] = "^t:2: block 'x' is not ended",
            ["{-x-}\n{-y-}"] = "^t:2: block 'x' is not ended yet",
            ["\n{{ }}"] = "^t:2: ", ["\n\n{(a, })}"] = "^t:3: ",
            ["{{ a -- b }}"] = "^t:1: ",
        } do
            assert.matches(expected, err_of(source))
        end
    end)

    it("takes CSS and JavaScript as they are", function()
        for _, text in ipairs { "a{-webkit-box: 1}", "{#x}", "{(function",
            "class A{#b}", "{ {", "a{}b", "{(a+b)}", "{-1}", "\r\n\0]]" } do
            local fn = assert(compile(text, "t"))()
            assert.equal(text, (fn(nil, nil, nil, table.concat, {})))
        end
    end)
end)
