# ruff: noqa: E501
"""Forms in which others write the same name, twins' names, and streets of nowhere."""

from __future__ import annotations

_FORMS = (
    "Margaret Maggie Peggy Meg Marge", "Elizabeth Liz Beth Betty Lizzie Eliza Libby",
    "William Bill Will Billy Liam", "Robert Bob Rob Bobby", "Richard Rick Dick Rich",
    "James Jim Jimmy Jamie", "John Jack Johnny", "Thomas Tom Tommy", "Joseph Joe Joey",
    "Patricia Pat Trish Tricia", "Susan Sue Susie", "Christine Chris Chrissie Tina",
    "Christopher Chris Kit", "Michael Mike Mick Micky", "David Dave Davey Dai",
    "Stephen Steve Steven", "Anthony Tony Antony", "Andrew Andy Drew", "Daniel Dan Danny",
    "Matthew Matt", "Joshua Josh", "Samuel Sam Sammy", "Benjamin Ben", "Alexander Alex Sandy",
    "Nicholas Nick", "Edward Ted Ed Eddie", "Charles Charlie Chas", "George Georgie",
    "Frederick Fred", "Albert Bert", "Alfred Alf Alfie", "Ronald Ron", "Kenneth Ken",
    "Raymond Ray", "Leslie Les", "Stanley Stan", "Terence Terry", "Geoffrey Geoff Jeff",
    "Philip Phil Phillip", "Peter Pete", "Gerald Gerry Jerry", "Kathleen Kath Kathy Cathy",
    "Catherine Cath Kate Kathryn", "Deborah Debbie Debra", "Jacqueline Jackie", "Sandra Sandy",
    "Barbara Barb Babs", "Dorothy Dot Dolly", "Jennifer Jenny Jen", "Victoria Vicky Vikki",
    "Rebecca Becky Becca", "Jessica Jess", "Charlotte Lottie Charl", "Katie Kate Katy",
    "Samantha Sam", "Nicola Nicky Nikki", "Joanne Jo Joanna", "Amanda Mandy", "Angela Angie",
    "Abigail Abi Abbie", "Bethany Beth", "Eleanor Ellie Nell", "Emily Em Millie", "Olivia Liv",
    "Sarah Sara Sally", "Claire Clare", "Tracey Tracy", "Lesley Lesleigh", "Ann Anne Annie",
    "Siobhan Shivaun", "Eilidh Ailie", "Caitlin Kate", "Ciaran Kieran", "Sean Shaun Shane",
    "Mohammed Muhammad Mohammad Mohamed Mohd Md", "Muhammad Mohammed Mohamad M",
    "Mohammad Mohammed Muhammad", "Mohamed Mohammed Muhammad", "Ahmed Ahmad Ahmet",
    "Hussain Hussein Husain", "Hassan Hasan", "Yusuf Yousuf Yousaf Yusef", "Omar Umar Umer",
    "Usman Osman Uthman", "Khalid Khaled", "Aisha Ayesha Aishah Aysha", "Fatima Fatimah Fatema",
    "Khadija Khadijah Kadija", "Zainab Zaynab Zeinab", "Nasreen Nasrin", "Yasmin Yasmeen",
    "Ibrahim Ebrahim Abraham", "Rukhsana Ruksana Rukhsanah", "Tariq Tarik Tareq",
    "Abdul Abdal", "Abdirahman Abdulrahman", "Fadumo Fatima Faduma", "Maryan Maryam Mariam",
    "Harpreet Harry Preet", "Gurpreet Gary Preet Gurps", "Manpreet Mani Preet",
    "Jaspreet Jas", "Jaswinder Jas", "Balwinder Bal", "Sukhwinder Sukhi", "Kulwinder Kully",
    "Rajesh Raj", "Rajinder Raj", "Jayesh Jay", "Lakshmi Laxmi", "Nilesh Nil",
    "Katarzyna Kasia", "Małgorzata Gosia Malgorzata Margaret", "Agnieszka Aga",
    "Joanna Asia", "Magdalena Magda", "Aleksandra Ola Alexandra", "Elżbieta Ela Elzbieta",
    "Zofia Zosia", "Piotr Peter", "Tomasz Tomek Thomas", "Krzysztof Krzysiek Chris",
    "Paweł Pawel Paul", "Michał Michal Michael", "Jakub Kuba", "Łukasz Lukasz Luke",
    "Wojciech Wojtek", "Grzegorz Greg", "Mateusz Mateo Matt", "Stanisław Staszek Stan",
    "Alexandru Alex", "Ioana Joanna Oana", "Gheorghe George", "Mihai Michael Mihail",
    "Constantin Costel", "Florentina Flori", "Oluwaseun Seun", "Babatunde Tunde",
    "Funmilayo Funmi", "Temitope Temi", "Titilayo Titi", "Emmanuel Emma Manny",
    "Chinedu Nedu", "Ifeanyi Ify", "Ngozi Goz", "Khaled Khalid", "Layla Leila Laila",
    "Noor Nour Nur", "Youssef Yousef Yusuf", "Yousef Youssef Yusuf", "Mahmoud Mahmood",
)  # fmt: skip
#: Given name -> other forms of it.
FORMS: dict[str, tuple[str, ...]] = {
    words.split()[0]: tuple(words.split()[1:]) for words in _FORMS
}
_SURNAMES = (
    "Hussain Hussein Husain", "Hussein Hussain", "Mohammed Muhammad Mohamed", "Ahmed Ahmad",
    "Choudhury Chowdhury Chaudhry", "Chowdhury Choudhury", "Rahman Rehman", "Sheikh Shaikh",
    "Akhtar Akter", "Miah Mia", "Mahmood Mehmood", "Qureshi Quraishi", "Thompson Thomson",
    "Clark Clarke", "Clarke Clark", "Davies Davis", "Davis Davies", "MacDonald McDonald",
    "McDonald Macdonald", "MacLeod McLeod", "Stewart Stuart", "Reid Reed Read",
    "Phillips Philips", "O'Brien OBrien", "O'Neill ONeil Neill", "O'Connor Connor OConnor",
    "O'Sullivan Sullivan", "Johnston Johnstone Johnson", "Al-Masri Almasri El-Masry",
    "Al-Hussein Hussein Alhussein", "El-Sayed Sayed Elsayed", "Al-Ahmad Ahmad",
    "Uddin Udin", "Islam Eslam", "Dhillon Dhillan", "Grewal Garewal", "Begum Bibi",
    "Bibi Begum", "Khatun Khatoon",
)  # fmt: skip
#: Surname -> other spellings of it.
SURNAME_FORMS: dict[str, tuple[str, ...]] = {
    words.split()[0]: tuple(words.split()[1:]) for words in _SURNAMES
}
_TWINS = (
    "Jayden Hayden;Aidan Jadan;Ellie Ollie;Millie Tillie;Lily Milly;Ryan Bryan;Liam Lian;"
    "Kayleigh Hayleigh;Mia Maya;Hassan Hussain;Ali Alia;Zain Zayd;Hamza Hafsa;Sara Zara;"
    "Amir Samir;Asif Atif;Adam Aidan;Kyle Kylie;Ethan Evan;Ella Bella;Jack Jake;Tia Mia;"
    "Connor Callum;Chloe Zoe;Katie Kate;Karim Rahim;Nadia Nadine;Taiwo Kehinde;Ravi Rani;"
    "Simran Simrit;Leah Lea;Danielle Daniel;Paul Paula;Christian Christina;Ola Ala;"
    "Gurpreet Harpreet;Amandeep Mandeep;Rohan Rohit;Nina Tina;Darren Warren"
)
#: Pairs of names that twins were given.
TWINS: tuple[tuple[str, str], ...] = tuple(
    (a, b) for a, b in (pair.split() for pair in _TWINS.split(";"))
)
_STREETS = (
    "Mill High Church Station Victoria Park Albert Queen King School Grange Manor "
    "Chapel North South Oak Elm Ash Beech Cedar Maple Hawthorn Willow Chestnut "
    "Windsor York Stanley Alexandra George Clarence Cross Bridge Castle Abbey "
    "Priory Spring Well Brook River Moor Hill Dale Meadow Field Orchard Garden Rose "
    "Lilac Primrose Heather Nelson Wellington Cromwell Byron Shelley Milton "
    "Tennyson Derby Lancaster Durham Carlton Salisbury Gladstone Balfour Cavendish "
    "Kestrel Falcon Heron Swallow Lark"
)
STREETS = tuple(_STREETS.split())
_WAYS = (
    "Street Road Lane Avenue Close Drive Court Gardens Terrace Crescent Way Grove "
    "Place Walk"
)
WAYS = tuple(_WAYS.split())
SHORT_WAYS = {
    "Street": "St", "Road": "Rd", "Lane": "Ln", "Avenue": "Ave", "Close": "Cl",
    "Drive": "Dr", "Gardens": "Gdns", "Terrace": "Terr", "Crescent": "Cres", "Grove": "Gr",
}  # fmt: skip
_BLOCKS = (
    "Nightingale Attlee Bevan Pankhurst Kingsley Ruskin Morris Keir Lister Fleming "
    "Darwin Newton Bronte Gaskell Turner"
)
BLOCKS = tuple(_BLOCKS.split())
_AREAS = (
    "AB B BB BD BL BN BS CB CF CV DE DN DH DY E EH EN FY G GL HD HU HX IP KY L LE "
    "LN LS LU M ME ML NE NG NN NP NR N OL OX PA PE PL PO PR RG S SA SE SK SN SO SR "
    "ST SW SY TS UB W WA WF WN WS WV YO"
)
AREAS = tuple(_AREAS.split())
_TOWNS = (
    "Northby Calderford Ashmouth Tidewell Harrowgate Kirkham Stonebridge Wexbury "
    "Marlow Penhallow Dunmore Llanfair Glenbrae Oldport Fenwick Thornaby Redhill "
    "Saltmarsh"
)
TOWNS = tuple(_TOWNS.split())
