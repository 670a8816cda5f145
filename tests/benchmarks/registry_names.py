# ruff: noqa: E501
"""Names by tradition for the invented registry, the commoner ones first."""

from __future__ import annotations

from typing import NamedTuple


class Tradition(NamedTuple):
    """How one community names its people; commoner names come first."""

    women: tuple[str, ...]
    men: tuple[str, ...]
    surnames: tuple[str, ...]
    #: Beginnings and ends of surnames too rare to be listed; none: listed ones only.
    heads: tuple[str, ...] = ()
    tails: tuple[str, ...] = ()
    #: Share of people whose surname is composed of those.
    rare: float = 0.0
    #: Words that say woman or man, written as a surname or in its front.
    woman_words: tuple[str, ...] = ()
    man_words: tuple[str, ...] = ()


def _w(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_HEADS = _w(
    "Ash Brad Thorn Hart Lang Whit Wood West Nor Sut Mar Hol Bar Hen Ald Bran Cald Comp"
    " Craw Den Dray Ed El Fair Far Gar Gold Green Grim Had Ham Hazel Hey Hig Hors Kirk"
    " Lamb Led Lin Long Mel Mid Nut Oak Old Pem Pick Ray Red Rom Shel Stan Stock Strat"
    " Sum Swin Tat Thorp Tren Wad Wal Wat Wen Win"
)
_TAILS = _w(
    "ley ton worth field ham ford bridge wood bury by den dale combe croft gate hurst"
    " land more ridge shaw stead stock thwaite wick well wright son man ster bourne"
)
#: Given names of Britain by the decades in which most of their bearers were born.
BRITISH_WOMEN = {
    1930: _w(
        "Margaret Jean Mary Joan Patricia Sheila Barbara Doreen June Shirley Dorothy"
        " Joyce Maureen Elizabeth Audrey Brenda Kathleen Sylvia Eileen Pamela Betty"
        " Beryl Irene Rita Marjorie Hilda Freda Ivy Vera Edna Winifred Olive Mavis"
        " Muriel Nora Agnes Ethel Norma Avril Thelma Jessie Gwyneth Morag Bronwen"
    ),
    1955: _w(
        "Susan Linda Christine Margaret Janet Patricia Carol Elizabeth Mary Anne Jean"
        " Ann Jacqueline Gillian Pauline Jennifer Maureen Sandra Lesley Sheila Marilyn"
        " Hilary Judith Brenda Valerie Diane Kathleen Catherine Rosemary Yvonne Lynne"
        " Denise Bridget Geraldine Moira Sian Eirlys Fiona Lorna Glenys Marlene Hazel"
    ),
    1975: _w(
        "Sarah Claire Nicola Emma Lisa Joanne Michelle Helen Samantha Karen Amanda"
        " Rachel Louise Julie Clare Rebecca Sharon Victoria Caroline Tracey Deborah"
        " Angela Kelly Alison Jane Kerry Donna Paula Dawn Melanie Kirsty Marie Lorraine"
        " Natalie Heather Anna Andrea Tina Rhian Siobhan Mairead Ceri Shona Gail"
    ),
    1995: _w(
        "Rebecca Lauren Jessica Charlotte Hannah Sophie Amy Emily Laura Emma Chloe"
        " Sarah Lucy Katie Bethany Megan Georgia Abigail Olivia Holly Jade Molly"
        " Courtney Shannon Amber Paige Danielle Kayleigh Eleanor Ellie Leah Grace Ella"
        " Mia Jasmine Caitlin Niamh Aoife Eilidh Cerys Rhiannon Demi Kelsey Tia Skye"
    ),
}
#: The same of men.
BRITISH_MEN = {
    1930: _w(
        "John William George James Ronald Robert Kenneth Frederick Thomas Albert Eric"
        " Edward Arthur Charles Leslie Sidney Frank Peter Joseph Stanley Walter Dennis"
        " Harold Norman Ernest Raymond Derek Alfred Roy Jack Reginald Harry Douglas"
        " Gordon Leonard Cyril Herbert Hugh Patrick Ivor Emrys Hamish Malcolm Clifford"
    ),
    1955: _w(
        "David John Peter Michael Alan Robert Stephen Paul Brian Graham Philip Anthony"
        " Colin Christopher Geoffrey William James Keith Terence Barry Malcolm Richard"
        " Ian Derek Roger Raymond Kenneth Andrew Trevor Martin Kevin Nigel Clive"
        " Dennis Roy Gerald Patrick Sean Hugh Alun Dafydd Hamish Iain Glyn Maurice"
    ),
    1975: _w(
        "Paul David Andrew Stephen Mark Michael Ian Gary Robert Richard Peter John"
        " Anthony Christopher Darren Kevin Martin Simon Philip Graham Colin Adrian"
        " Nigel Alan Neil Lee Jason Stuart Craig Wayne Dean Carl Shaun Matthew Daniel"
        " Gareth Rhys Huw Fergus Gavin Brendan Declan Scott Duncan Russell Karl"
    ),
    1995: _w(
        "Daniel Thomas Matthew Joshua Adam Luke Michael Christopher Ryan Jack James"
        " Jordan Joseph Samuel Liam Alexander Connor Callum Jake Kieran Benjamin Nathan"
        " Lewis Aaron Harry Dylan Kyle Reece Bradley Ashley Oliver Charlie Ethan Owen"
        " Rhys Cameron Ross Jayden Kai Tyler Mason Cian Ciaran Euan Logan Brandon"
    ),
}
_ENGLISH = Tradition(
    (),
    (),
    _w(
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright"
        " Thompson Evans Walker White Roberts Green Hall Wood Jackson Clarke Patel"
        " Clark Lewis Harris Turner Hill Cooper Ward Morris Moore Baker Harrison King"
        " Morgan Allen James Scott Phillips Watson Davis Parker Bennett Price Griffiths"
        " Young Cook Mitchell Shaw Richardson Carter Collins Bell Bailey Webb Rogers"
        " Palmer Ellis Mills Marshall Knight Barker Stevens Cox Lloyd Mason Foster"
        " Hughes Edwards Chapman Powell Matthews Holmes Rose Fisher Hunt Butler Barnes"
        " Pearson Gibson Dixon Fletcher Hudson Andrews Harvey Saunders Spencer Payne"
        " Lawrence Fox Brooks Bradley Atkinson Dean Day Field Rowe Marsh Peacock Nash"
        " Gill Yates Frost Lamb Bird Bolton Hobbs Tyler Slater Potts Dyer Skinner"
    ),
    _HEADS,
    _TAILS,
    0.45,
)
_SCOTTISH = _ENGLISH._replace(
    surnames=_w(
        "Smith Brown Wilson Campbell Stewart Thomson Robertson Anderson MacDonald Scott"
        " Reid Murray Taylor Clark Ross Watson Morrison Paterson Young Mitchell Walker"
        " Fraser Miller McDonald Gray Henderson Hamilton Johnston Duncan Graham"
        " Ferguson Kerr Davidson Bell Cameron Kelly Martin Hunter Allan Mackenzie Grant"
        " Simpson MacLeod McKay Black Wallace McLean Kennedy Gibson Russell Marshall"
        " Gordon Burns Stevenson Milne Craig Wood Munro Ritchie Sinclair McIntosh Muir"
    ),
    rare=0.2,
)
_WELSH = _ENGLISH._replace(
    surnames=_w(
        "Jones Davies Williams Evans Thomas Roberts Lewis Hughes Morgan Griffiths"
        " Edwards Owen James Rees Jenkins Price Morris Richards Lloyd Phillips Parry"
        " Powell Harris Howells Watkins Pritchard Bowen Bevan Vaughan Pugh Humphreys"
        " Rowlands Llewellyn Ellis John Hopkins Rosser Prosser Gwilym Beynon Meredith"
    ),
    rare=0.08,
)
_IRISH = _ENGLISH._replace(
    surnames=_w(
        "Murphy Kelly O'Sullivan Walsh Smith O'Brien Byrne Ryan O'Connor O'Neill"
        " O'Reilly Doyle McCarthy Gallagher Doherty Kennedy Lynch Murray Quinn Moore"
        " McLaughlin Carroll Connolly Daly Connell Wilson Dunne Brennan Burke Collins"
        " Campbell Clarke Johnston Hughes Farrell Fitzgerald Brown Martin Maguire Nolan"
        " Flynn Thompson Callaghan O'Donnell Duffy Mahony Boyle Healy Shea White"
        " Sweeney Hayes Kavanagh Power McGrath Moran Brady Stewart Casey Foley"
    ),
    rare=0.06,
)
_MUSLIM_SOUTH_ASIAN = Tradition(
    _w(
        "Fatima Aisha Shazia Nasreen Rukhsana Samina Zainab Maryam Amina Shabana Saima"
        " Nazia Farzana Rubina Parveen Razia Khadija Halima Sadia Nadia Sumaiya Yasmin"
        " Shahida Tahira Bushra Noreen Naheed Salma Iqra Hafsa Rashida Ruksana Mumtaz"
        " Shamim Asma Sajida Anam Mehreen Tasleem Zahra Hina Kulsum Rahima Jahanara"
    ),
    _w(
        "Mohammed Muhammad Mohammad Imran Ali Abdul Asif Tariq Shahid Nadeem Amjad"
        " Kamran Usman Bilal Hamza Omar Ibrahim Yusuf Hassan Hussain Zahid Khalid Javed"
        " Sajid Wasim Faisal Adnan Iqbal Rashid Shabir Nasir Arshad Adeel Haroon Ahmed"
        " Zubair Junaid Rizwan Aamir Ismail Abdullah Shafiq Mahmood Jamal Faruk Habib"
        " Rafiq Anwar Salim Mushtaq Azhar Tahir Waqar Ehsan Liaqat"
    ),
    _w(
        "Khan Hussain Ahmed Ali Akhtar Shah Mahmood Iqbal Malik Miah Rahman Uddin Hussein"
        " Choudhury Islam Chowdhury Mirza Aslam Rashid Sheikh Butt Qureshi Mohammed"
        " Saleem Ashraf Raja Bashir Arshad Haq Siddiqui Javed Nawaz Anwar Hassan Alam"
        " Sharif Rafiq Ansari Syed Zaman Afzal Hanif Baig Dar Chaudhry Yasin Mehmood"
        " Shafi Sadiq Latif Ghani Karim Haque Ullah Majid Khaliq Sarwar Yaqub Bhatti"
    ),
    woman_words=("Begum", "Bibi", "Khatun", "Akhtar", "Kausar"),
)
_SIKH = Tradition(
    _w(
        "Harpreet Gurpreet Manpreet Jaspreet Simran Amandeep Kulwinder Balwinder"
        " Jaswinder Surinder Parminder Rajinder Navdeep Kiran Sukhwinder Baljit Daljit"
        " Ranjit Mandeep Sandeep Amrit Gurdeep Jasleen Jagjit Harjinder Satwinder"
    ),
    _w(
        "Gurpreet Harpreet Manjit Jaspal Balbir Amarjit Kuldip Sukhdev Jagdeep Rajinder"
        " Surjit Gurdeep Baldev Harjit Davinder Paramjit Inderjit Tejinder Mohinder"
        " Gurmeet Ranjit Avtar Satnam Kulwant Joginder Mandeep Arjan Jasbir Harbhajan"
    ),
    _w(
        "Gill Sandhu Dhillon Sidhu Grewal Bains Dhaliwal Johal Atwal Sahota Virk Mann"
        " Randhawa Bassi Sangha Uppal Rai Purewal Hayer Kang Cheema Nijjar Chahal Bhogal"
    ),
    woman_words=("Kaur",),
    man_words=("Singh",),
)
_HINDU = Tradition(
    _w(
        "Priya Anita Sunita Meena Rekha Nisha Kavita Pooja Anjali Bhavna Hansa Jyoti"
        " Usha Pushpa Manjula Lata Neha Sonal Hema Daksha Nita Geeta Sheela Kamala"
        " Shanti Lakshmi Divya Aarti Komal Rupal Heena Ila Varsha Asha"
    ),
    _w(
        "Rajesh Sanjay Amit Vijay Suresh Ramesh Dinesh Mahesh Bharat Kiran Anil Ashok"
        " Nilesh Ketan Jayesh Hitesh Mukesh Paresh Kishan Ravi Arun Deepak Manoj Sunil"
        " Rakesh Prakash Jitendra Harish Kantilal Chandrakant Nitin Vikram Rohan Arjun"
    ),
    _w(
        "Patel Patel Patel Shah Sharma Mistry Desai Mehta Joshi Parmar Solanki Kumar"
        " Gupta Chauhan Vyas Bhatt Trivedi Pandya Thakkar Lad Modi Raval Gohil Panchal"
        " Nair Iyer Reddy Rao Das Ghosh Sivakumar Rajan Pillai Varma Kapoor"
    ),
)
_POLISH = Tradition(
    _w(
        "Anna Katarzyna Małgorzata Agnieszka Joanna Barbara Ewa Magdalena Monika Beata"
        " Elżbieta Dorota Aleksandra Natalia Justyna Marta Karolina Paulina Sylwia"
        " Iwona Renata Izabela Zofia Teresa Danuta Halina Krystyna Kinga Weronika"
    ),
    _w(
        "Piotr Krzysztof Andrzej Tomasz Paweł Jan Michał Marcin Jakub Adam Marek Łukasz"
        " Grzegorz Mateusz Wojciech Mariusz Dariusz Zbigniew Jerzy Rafał Robert Kamil"
        " Dawid Przemysław Sebastian Stanisław Jacek Artur Sławomir Maciej Bartosz"
    ),
    _w(
        "Nowak Kowalsk+ Wiśniewsk+ Wójcik Kowalczyk Kamińsk+ Lewandowsk+ Zielińsk+"
        " Szymańsk+ Woźniak Dąbrowsk+ Kozłowsk+ Mazur Jankowsk+ Kwiatkowsk+ Wojciechowsk+"
        " Krawczyk Kaczmarek Piotrowsk+ Grabowsk+ Pawłowsk+ Michalsk+ Król Wieczorek"
        " Jabłońsk+ Wróbel Nowakowsk+ Majewsk+ Olszewsk+ Stępień Malinowsk+ Jaworsk+"
        " Adamczyk Dudek Pawlak Górsk+ Sikora Walczak Rutkowsk+ Baran Szewczyk Tomaszewsk+"
    ),
    _w("Zawad Borkow Czarn Dobrow Głow Kalin Krasn Lipow Ostrow Sokołow Wysock Zaręb"),
    _w("sk+ iński owicz czyk ak"),
    0.15,
)
_ROMANIAN = Tradition(
    _w(
        "Maria Elena Ana Ioana Andreea Mihaela Cristina Alina Daniela Gabriela Simona"
        " Florentina Alexandra Nicoleta Roxana Monica Raluca Denisa Larisa Lavinia"
        " Georgiana Loredana Mirela Camelia Bianca Viorica"
    ),
    _w(
        "Ion Andrei Alexandru Mihai Gheorghe Vasile Florin Adrian Marian Ionut Cristian"
        " Constantin Nicolae Daniel Stefan Gabriel Marius Bogdan Catalin Razvan Cosmin"
        " Sorin Lucian Viorel Dumitru Costel Petru"
    ),
    _w(
        "Popescu Popa Ionescu Radu Dumitru Stan Stoica Gheorghe Matei Ciobanu Rusu"
        " Munteanu Constantin Marin Lazar Florea Dinu Tudor Toma Dobre Barbu Ilie Nistor"
        " Moldovan Cristea Oprea Ungureanu Stanciu Preda Voicu Sandu Enache Neagu Badea"
    ),
)
_ARABIC = Tradition(
    _w(
        "Fatima Maryam Huda Layla Noor Amal Samira Hanan Rania Zahra Aya Salma Nadia"
        " Rasha Iman Dina Sahar Yasmin Mona Hala Asma Khadija Sara Lina Wafa Najla"
    ),
    _w(
        "Mohammed Ahmed Ali Omar Hassan Hussein Khaled Mahmoud Yousef Ibrahim Mustafa"
        " Abdullah Karim Samir Tarek Bashar Ammar Ziad Nabil Faisal Saleh Adel Walid"
        " Hamid Jamal Osama Rami Fadi Haider Mazen"
    ),
    _w(
        "Al-Masri Ahmed Hassan Ali Al-Hussein Ibrahim Mohammed Al-Ahmad Haddad Mahmoud"
        " Saleh El-Sayed Khalil Nasser Al-Jabouri Abdullah Mansour Khoury Al-Shami Hamdan"
        " Awad Darwish Najjar Al-Rashid Kanaan Aziz Al-Halabi Sabbagh Qasim Al-Dulaimi"
    ),
)
_SOMALI = Tradition(
    _w(
        "Fadumo Hodan Amina Khadra Sahra Hawa Maryan Ayaan Ifrah Nimo Halimo Asha Deqa"
        " Zamzam Sagal Ubah Hibo Shukri Ruqiya Filsan"
    ),
    _w(
        "Mohamed Abdi Ahmed Ali Hassan Abdirahman Yusuf Omar Hussein Ismail Abdullahi"
        " Mohamud Farah Said Warsame Jama Nur Osman Abdikarim Mustafa Liban Guled Dahir"
    ),
    (),
)
_WEST_AFRICAN = Tradition(
    _w(
        "Blessing Grace Mercy Comfort Abena Akosua Ama Folake Ngozi Chioma Adaeze Yetunde"
        " Funmilayo Titilayo Esther Ruth Patience Faith Joy Gloria Temitope Oluwaseun"
        " Adwoa Efua Ifeoma Amaka Mariama Isatou Fatou Aminata"
    ),
    _w(
        "Emmanuel Samuel Kwame Kofi Kwabena Yaw Emeka Chinedu Oluwaseun Tunde Babatunde"
        " Ayodele Ifeanyi Daniel Joseph Michael Kelechi Obinna Segun Femi Kunle Ebenezer"
        " Isaac Kwaku Lamin Ousman Momodou Ibrahim Sunday Festus"
    ),
    _w(
        "Mensah Owusu Boateng Asante Osei Appiah Agyemang Adeyemi Okafor Okonkwo Eze"
        " Adebayo Ogunleye Balogun Nwosu Obi Ojo Bello Amoah Acheampong Addo Ansah"
        " Sarpong Jallow Ceesay Sesay Kamara Bangura Koroma Conteh Danso Frimpong"
    ),
    _w("Ade Ola Olu Ogun Oye Akin Nwa Oko Chukwu Ona"),
    _w("wale bode yinka sanya jide dele tunji bi nkwo emeka ma fe"),
    0.2,
)
_CHINESE = Tradition(
    _w("Mei Li Xiu Ying Yan Hui Fang Jing Na Min Ling Hong Yue Lan Qing Juan Wai Siu"),
    _w(
        "Wei Jun Ming Jian Hao Lei Bin Feng Tao Chao Yong Gang Kai Ho Chi Wing Kin Long"
    ),
    _w(
        "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Chan Wong Lam Cheung Lau Leung"
        " Ho Ng Tang Yeung Lin Xu Sun Zhu Tsang Kwok"
    ),
)
TRADITIONS: dict[str, Tradition] = {
    "english": _ENGLISH,
    "scottish": _SCOTTISH,
    "welsh": _WELSH,
    "irish": _IRISH,
    "muslim": _MUSLIM_SOUTH_ASIAN,
    "sikh": _SIKH,
    "hindu": _HINDU,
    "polish": _POLISH,
    "romanian": _ROMANIAN,
    "arabic": _ARABIC,
    "somali": _SOMALI,
    "west_african": _WEST_AFRICAN,
    "chinese": _CHINESE,
}
BRITISH = frozenset({"english", "scottish", "welsh", "irish"})
