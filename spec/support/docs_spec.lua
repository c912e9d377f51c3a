-- What runs the documents' blocks sees it when one does not do what it says.
local blocks = require "spec.support.docs.blocks"
local output = require "spec.support.docs.output"
local page = require "spec.support.docs.page"
local quoll = require "quoll"

-- A fence at the begin of a line would be one of this file's own reader.
local function document(text)
    return (text:gsub("~~~", "```"))
end

-- What is wrong with a document.
local function problems(text)
    return quoll.run(function()
        return table.concat(page.run("x.md", document(text)), "\n")
    end)
end

describe("blocks", function()
    it("have a language, a line, and ways to be run", function()
        local found = blocks.parse(document [[
# A title

<!-- file: a.lua, server: 8080 -->
~~~lua
print "a"
~~~

~~~text
b
~~~
]], "x.md")
        assert.equal(2, #found)
        assert.same({ file = "a.lua", server = "8080" }, found[1].ways)
        assert.equal('print "a"\n', found[1].text)
        assert.equal("x.md:4", found[1].where)
        assert.same({ "text", {} }, { found[2].language, found[2].ways })
    end)

    it("have an end, and known ways only", function()
        assert.has_error(function()
            blocks.parse("```lua\n", "x.md")
        end, "x.md: a block without an end")
        assert.has_error(function()
            blocks.parse("<!-- sometimes -->\n```lua\n```\n", "x.md")
        end, "x.md:2: no way to run a block: sometimes")
        assert.has_error(function()
            blocks.parse("Do this:\n\n    rm x\n", "x.md")
        end, "x.md:3: an indented block")
    end)
end)

describe("output", function()
    it("is compared line by line, blanks as one", function()
        assert.is_nil(output.differs("a b\n", "a\tb\n\n"))
        assert.truthy(output.differs("a\n", "b\n"))
        assert.truthy(output.differs("a\n", "a\nb\n"))
        assert.truthy(output.differs("a\nb\n", "a\n"))
    end)

    it("may have parts that are anything", function()
        assert.is_nil(output.differs("a ... (c)\n...\nz\n",
            "a bb (c)\n1\n2\nz\n"))
        assert.is_nil(output.differs("...\nz\n", "z\n"))
        assert.truthy(output.differs("...\nz\n", "z\ny\n"))
        assert.truthy(output.differs("a.c\n", "abc\n"))
    end)

    it("has what comments say, in their order", function()
        local program = "print(1) --> 1\nprint(2) --> 2\n"
        assert.is_nil(output.lacks(program, "1\nother\n2\n"))
        assert.truthy(output.lacks(program, "2\n1\n"))
        assert.truthy(output.lacks(program, "1\n"))
    end)
end)

describe("a page", function()
    it("is fine when every block does what it says", function()
        assert.equal("", problems [[
<!-- file: hello.lua, server: 8080 -->
~~~lua
require("quoll").http.serve("127.0.0.1:8080", function() return "hello\n" end)
~~~

~~~sh
curl -s http://127.0.0.1:8080/
~~~

<!-- prints -->
~~~text
hello
~~~
]])
    end)

    local function fails(what, text, why)
        it("is not when " .. what, function()
            assert.matches(why, problems(text))
        end)
    end

    fails("a program fails", "~~~lua\nerror 'no'\n~~~\n",
        "^x.md:1: status 1\n.*no")
    fails("a program does not compile", "~~~lua\nno no\n~~~\n",
        "^x.md:1: status 1")
    fails("a script fails", "~~~sh\nfalse\ntrue\n~~~\n", "^x.md:1: status 1")
    fails("a program prints something else",
        "~~~lua\nprint(1) --> 2\n~~~\n", "^x.md:1: not printed: 2")
    fails("a script prints something else",
        "~~~sh\necho 1\n~~~\n<!-- prints -->\n~~~text\n2\n~~~\n",
        "^x.md:5: the document shows\n2\n\nand this was printed\n1")
    fails("a server does not come up",
        "<!-- server: 8080 -->\n~~~sh\ntrue\n~~~\n",
        "^x.md:2: nobody listens")
    fails("a server does not end well", "<!-- server: 8080 -->\n~~~lua\n"
        .. "require('quoll').serve('127.0.0.1:8080', print) os.exit(3)\n~~~\n",
        "the server ended with exit 3")
    fails("a file is written that nobody uses",
        "<!-- file: a.lua -->\n~~~lua\n~~~\n",
        "^x.md:2: nobody runs this block")
    fails("a block is of no language that is known", "~~~cobol\n~~~\n",
        "^x.md:1: nobody runs this block")
    fails("what is not run would not compile",
        "<!-- not run: why -->\n~~~sh\nif\n~~~\n", "^x.md:2: status 2")
end)
