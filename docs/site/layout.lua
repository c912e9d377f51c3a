-- layout.lua: a whole page around its text.
local code = require "docs.site.code"
local disk = require "docs.site.disk"

local layout = {}

local template = [[
<!DOCTYPE html>
<html lang="en" data-root="$root">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<link rel="stylesheet" href="$rootstyle.css">
<script src="$rootsearch.js" defer></script>
</head>
<body>
<a class="skip" href="#main">skip to the text</a>
<header>
<a class="brand" href="$rootindex.html">quoll</a>
<div id="search"></div>
<a class="open" href="#menu">Menu</a>
$contents
</header>
<nav id="menu" aria-label="all pages">
<a class="shut" href="#main">close</a>
$menu
</nav>
<main id="main">
$text
$turn
<footer>quoll $version</footer>
</main>
$toc
</body>
</html>
]]

local function item(from, page)
    return ('<li><a href="%s"%s>%s</a></li>'):format(
        disk.relative(from.out, page.out),
        page == from and ' aria-current="page"' or "", code.escape(page.title))
end

-- Long groups are folded unless the page is one of theirs.
local function menu(groups, from)
    local out = {}
    for _, group in ipairs(groups) do
        local here = not group.folded
        local items = {}
        for _, page in ipairs(group) do
            here = here or page == from
            items[#items + 1] = item(from, page)
        end
        out[#out + 1] = ("<details%s><summary>%s</summary>\n<ul>\n%s\n</ul>"
            .. "</details>"):format(here and " open" or "", group.name,
            table.concat(items, "\n"))
    end
    return table.concat(out, "\n")
end

-- Headings of the second and third level.
local function toc(page)
    local out = {}
    for _, heading in ipairs(page.headings) do
        if heading.level == 2 or heading.level == 3 then
            out[#out + 1] = ('<li class="l%d"><a href="#%s">%s</a></li>')
                :format(heading.level, heading.id,
                    (heading.html:gsub("</?a[^>]*>", "")))
        end
    end
    if #out < 2 then
        return ""
    end
    return '<nav id="contents" aria-label="on this page">\n'
        .. '<a class="shut" href="#main">close</a>\n<p>On this page</p>\n<ul>\n'
        .. table.concat(out, "\n") .. "\n</ul>\n</nav>"
end

-- To the page before and behind, of those that are read in order.
local function turn(page)
    local before, behind = page.before, page.behind
    if not before and not behind then
        return ""
    end
    local function link(to, class, arrow)
        return to and ('<a class="%s" rel="%s" href="%s">%s</a>'):format(class,
            class, disk.relative(page.out, to.out),
            arrow:format(code.escape(to.title))) or "<span></span>"
    end
    return '<nav class="turn" aria-label="next and previous">'
        .. link(before, "prev", "← %s") .. link(behind, "next", "%s →")
        .. "</nav>"
end

function layout.page(page, groups, version)
    local contents = toc(page)
    local values = {
        root = disk.relative(page.out, ""), version = version,
        title = code.escape(page.title == "quoll" and "quoll"
            or page.title .. " - quoll"),
        menu = menu(groups, page), text = page.html, toc = contents,
        turn = turn(page),
        contents = contents ~= ""
            and '<a class="open" href="#contents">Contents</a>' or "",
    }
    return (template:gsub("%$(%l+)", function(name)
        local root, rest = name:match "^(root)(%l+)$"
        return root and values.root .. rest or values[name]
    end))
end

return layout
