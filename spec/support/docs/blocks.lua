-- blocks.lua: the fenced blocks of the documents, and how each is run. A line
-- before a block, a comment, says so, in parts with a comma between them:
--
--   <!-- file: NAME -->    written to the page's folder, for blocks behind it
--   <!-- server: PORT -->  started; goes on to the end of the page, or to the
--                          next server of that port
--   <!-- prints -->        what the block before has printed; "..." is anything
--   <!-- fails: N -->      a program that ends with this status
--   <!-- needs: PROGRAM --> pending where there is no such program
--   <!-- plain -->         not in a suite with a luajit that is none
--   <!-- not run: WHY -->  compiled, or looked at, and no more
--
-- Without one: lua is a whole program, sh a script; both have to end well.
local helper = require "spec.helper"

local blocks = {}

local parts = { file = true, server = true, prints = true, fails = true,
    needs = true, plain = true, ["not run"] = true }

-- "server: 7000, file: a.lua" -> { server = "7000", file = "a.lua" }
local function ways_of(comment, where)
    local ways = {}
    if comment:find "^not run:" then
        return { ["not run"] = comment:match "^not run: *(.+)$" }
    end
    for part in comment:gmatch "[^,]+" do
        local name, value = part:match "^%s*([%l ]-)%s*:%s*(.-)%s*$"
        name = name or part:match "^%s*(.-)%s*$"
        assert(parts[name], where .. ": no way to run a block: " .. part)
        ways[name] = value or true
    end
    return ways
end

-- The blocks of a text, in order: { language, text, line, ways }.
function blocks.parse(text, path)
    local found, block, comment = {}, nil, nil
    local number, before = 0, nil
    for line in text:gmatch "([^\n]*)\n" do
        number = number + 1
        local fence = line:match "^%s*```(.*)$"
        if block and fence then
            block.text = table.concat(block, "\n") .. "\n"
            block = nil
        elseif block then
            block[#block + 1] = line
        elseif fence then
            local where = ("%s:%d"):format(path, number)
            block = { language = fence:match "^%S*", line = number,
                where = where, ways = comment and ways_of(comment, where)
                    or {} }
            found[#found + 1] = block
        else
            assert(before ~= "" or not line:find "^    %S",
                ("%s:%d: an indented block"):format(path, number))
        end
        before = line
        comment = line:match "^%s*<!%-%- (.-) %-%->%s*$"
    end
    assert(not block, path .. ": a block without an end")
    return found
end

-- The paths of all documents; a template is one only when it is filled in.
function blocks.documents()
    local paths = {}
    local pipe = assert(io.popen("cd " .. helper.root
        .. " && find README.md docs bench examples fuzz -name '*.md' "
        .. "-not -path '*/template/*' | sort"))
    for path in pipe:lines() do
        paths[#paths + 1] = path
    end
    pipe:close()
    return paths
end

function blocks.of(path)
    local file = assert(io.open(helper.root .. "/" .. path))
    local text = file:read "*a"
    file:close()
    return blocks.parse(text, path)
end

return blocks
